//! Reading HTTP/1 off a stream, strictly: whatever is not exactly as RFC 9112 writes it fails the test.

use serde_json::Value;
use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, Mutex};

/// A request with a body of a stated length: `line` such as `POST /`, and fields as they are sent, each with its CR LF.
pub fn request(line: &str, fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head =
        format!("{line} HTTP/1.1\r\nHost: site.test\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A message: a request as a backend got it, or an answer as a client got it.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// The request line or status line.
    pub start: String,
    /// The fields, in their order.
    pub fields: Vec<(String, String)>,
    /// The body, without framing.
    pub body: Vec<u8>,
    /// The trailers behind a chunked body.
    pub trailers: Vec<(String, String)>,
}

impl Message {
    /// The value of the one field `name`; `None` where it is not there.
    ///
    /// # Panics
    /// Where it is there twice.
    pub fn field(&self, name: &str) -> Option<&str> {
        let values = self.all(name);
        assert!(values.len() <= 1, "{name} more than once: {self:?}");
        values.first().copied()
    }

    /// The values of all fields `name`.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn is_chunked(&self) -> bool {
        self.field("transfer-encoding").is_some_and(|coding| coding == "chunked")
    }

    fn length(&self) -> Option<usize> {
        self.field("content-length").map(|length| length.parse().expect("a length in digits"))
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// The rest.
    pub message: Message,
}

impl Answer {
    /// The value of the one field `name`.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.message.field(name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        self.message.text()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.message.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Whether it says that the connection ends behind it.
    pub fn says_close(&self) -> bool {
        self.field("connection") == Some("close")
    }
}

/// A request as a backend got it.
#[derive(Debug, Clone)]
pub struct Received {
    /// The connection it came on, counted from 0.
    pub connection: usize,
    /// The rest.
    pub message: Message,
}

impl Received {
    /// The method.
    pub fn method(&self) -> &str {
        self.message.start.split(' ').next().unwrap()
    }

    /// The target.
    pub fn target(&self) -> &str {
        self.message.start.split(' ').nth(1).unwrap()
    }

    /// The value of the one field `name`.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.message.field(name)
    }
}

/// Reads messages off a stream; keeps what it read for those who want every byte.
pub struct Reader<R> {
    stream: R,
    ahead: Vec<u8>,
    record: Option<Arc<Mutex<Vec<u8>>>>,
}

impl<R: Read> Reader<R> {
    /// A reader that keeps nothing.
    pub fn new(stream: R) -> Self {
        Self { stream, ahead: Vec::new(), record: None }
    }

    /// A reader that keeps all it reads in `record`.
    pub fn recording(stream: R, record: Arc<Mutex<Vec<u8>>>) -> Self {
        Self { stream, ahead: Vec::new(), record: Some(record) }
    }

    /// The stream.
    pub fn stream(&mut self) -> &mut R {
        &mut self.stream
    }

    /// Reads once; 0 is the end.
    pub fn more(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 16 << 10];
        let count = self.stream.read(&mut bytes)?;
        self.ahead.extend_from_slice(&bytes[..count]);
        if let Some(record) = &self.record {
            record.lock().unwrap().extend_from_slice(&bytes[..count]);
        }
        Ok(count)
    }

    fn need_more(&mut self) -> io::Result<()> {
        match self.more()? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// What was read and not used.
    pub fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    /// The next `count` bytes.
    pub fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < count {
            self.need_more()?;
        }
        Ok(self.ahead.drain(..count).collect())
    }

    /// All bytes until the stream's end.
    pub fn to_end(&mut self) -> io::Result<Vec<u8>> {
        while self.more()? > 0 {}
        Ok(std::mem::take(&mut self.ahead))
    }

    /// A line without its CR LF, which it must have.
    fn line(&mut self) -> io::Result<String> {
        let end = loop {
            match self.ahead.iter().position(|byte| *byte == b'\n') {
                Some(end) => break end,
                None => self.need_more()?,
            }
        };
        let line: Vec<u8> = self.ahead.drain(..=end).collect();
        let line = line.strip_suffix(b"\r\n").expect("CR before LF").to_vec();
        assert!(!line.contains(&b'\r') && !line.contains(&0), "a stray control byte in {line:?}");
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    fn fields(&mut self) -> io::Result<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) = line.split_once(':').expect("a colon in a field line");
            assert!(!name.is_empty() && !name.contains([' ', '\t']), "{line:?} is not a field");
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// A start line and its fields.
    pub fn head(&mut self) -> io::Result<Message> {
        Ok(Message { start: self.line()?, fields: self.fields()?, ..Message::default() })
    }

    fn chunked(&mut self, message: &mut Message) -> io::Result<()> {
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(&line, 16).expect("a chunk's size, plain");
            if size == 0 {
                message.trailers = self.fields()?;
                return Ok(());
            }
            message.body.extend(self.exactly(size)?);
            assert_eq!(self.exactly(2)?, b"\r\n", "behind a chunk");
        }
    }

    /// A whole request; an error where the stream ends before.
    pub fn request(&mut self) -> io::Result<Message> {
        let mut message = self.head()?;
        self.request_body(&mut message)?;
        Ok(message)
    }

    /// The body of the request whose head is `message`.
    pub fn request_body(&mut self, message: &mut Message) -> io::Result<()> {
        match (message.is_chunked(), message.length()) {
            (true, Some(_)) => panic!("two framings were forwarded: {message:?}"),
            (true, None) => self.chunked(message)?,
            (false, Some(length)) => message.body = self.exactly(length)?,
            (false, None) => {}
        }
        Ok(())
    }

    /// The head of an answer.
    pub fn answer_head(&mut self) -> io::Result<Answer> {
        let message = self.head()?;
        let status = message.start.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not a status line: {:?}", message.start));
        Ok(Answer { status, message })
    }

    /// A whole final answer to a request of `method`; interim ones are skipped.
    pub fn answer(&mut self, method: &str) -> io::Result<Answer> {
        loop {
            let mut answer = self.answer_head()?;
            if (100..200).contains(&answer.status) && answer.status != 101 {
                continue;
            }
            let message = &mut answer.message;
            match (message.is_chunked(), message.length()) {
                _ if method == "HEAD" || matches!(answer.status, 101 | 204 | 304) => {}
                (true, Some(_)) => panic!("two framings were answered: {message:?}"),
                (true, None) => self.chunked(message)?,
                (false, Some(length)) => message.body = self.exactly(length)?,
                (false, None) => message.body = self.to_end()?,
            }
            return Ok(answer);
        }
    }
}
