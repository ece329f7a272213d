//! Server-sent events, as the HTML Standard has them (9.2.6, "Interpreting an event stream").

/// The longest line that is read, in bytes.
const LINE_BYTES_MAX: usize = 1 << 20;
/// The most data of one message, in bytes.
const DATA_BYTES_MAX: usize = 4 << 20;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What kind it is of; `message` where it does not say.
    pub event: String,
    /// What it says.
    pub data: String,
}

/// Reads messages off a stream, however it is cut into pieces.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    after_cr: bool,
    event: String,
    data: String,
    /// The last id that a whole message came with: whoever comes back says it.
    pub last_id: Option<String>,
    id: Option<String>,
}

impl Reader {
    /// Reads on, and gives the messages that are whole.
    ///
    /// # Errors
    /// A line or a message is longer than any that a node sends.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Vec<Message>, String> {
        let mut messages = Vec::new();
        for &byte in bytes {
            let follows_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if follows_cr => {}
                b'\n' | b'\r' => messages.extend(self.end_of_line()),
                _ if self.line.len() == LINE_BYTES_MAX || self.data.len() > DATA_BYTES_MAX => {
                    return Err("it sends longer events than a node does".into());
                }
                _ => self.line.push(byte),
            }
        }
        Ok(messages)
    }

    /// Forgets what a stream that broke off has left unfinished.
    pub fn restart(&mut self) {
        *self = Self { last_id: self.last_id.take(), ..Self::default() };
    }

    fn end_of_line(&mut self) -> Option<Message> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        if line.is_empty() {
            return self.end_of_message();
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => self.event = value.to_owned(),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // A comment, or what later standards add.
            _ => {}
        }
        None
    }

    fn end_of_message(&mut self) -> Option<Message> {
        if let Some(id) = self.id.take() {
            self.last_id = Some(id);
        }
        let event = std::mem::take(&mut self.event);
        let mut data = std::mem::take(&mut self.data);
        data.pop()?;
        Some(Message { event: if event.is_empty() { "message".into() } else { event }, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": keep-alive\n\nid: 17\nevent: attack_detected\ndata: {\"a\":\ndata: 1}\n\n\
                          event: gap\r\ndata:x\r\n\r\nid:18\rdata\r\rdata: cut";

    fn message(event: &str, data: &str) -> Message {
        Message { event: event.into(), data: data.into() }
    }

    #[test]
    fn messages_are_the_same_however_the_stream_is_cut() {
        for size in 1..=STREAM.len() {
            let mut reader = Reader::default();
            let messages: Vec<Message> =
                STREAM.as_bytes().chunks(size).flat_map(|piece| reader.read(piece).unwrap()).collect();
            assert_eq!(
                messages,
                [message("attack_detected", "{\"a\":\n1}"), message("gap", "x"), message("message", "")],
                "pieces of {size}"
            );
            assert_eq!(reader.last_id.as_deref(), Some("18"));
        }
    }

    #[test]
    fn what_broke_off_is_forgotten_and_the_last_id_is_not() {
        let mut reader = Reader::default();
        reader.read(b"id: 3\ndata: a\n\nid: 4\nevent: b\ndata: c").unwrap();
        reader.restart();
        assert_eq!(reader.last_id.as_deref(), Some("3"));
        assert_eq!(reader.read(b"data: d\n\n").unwrap(), [message("message", "d")]);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut reader = Reader::default();
        assert!(reader.read(&vec![b'x'; LINE_BYTES_MAX + 1]).is_err());
    }
}
