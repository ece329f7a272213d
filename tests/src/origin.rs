//! A backend that keeps every byte it gets and answers as it is told.

use crate::message::{Message, Reader, Received};
use crate::wait::DEADLINE;
use socket2::SockRef;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What an origin does with each of its connections.
pub type Script = dyn Fn(&mut Conversation) -> io::Result<()> + Send + Sync;

/// A backend that runs, until it is dropped.
pub struct Origin {
    address: SocketAddr,
    listener: TcpListener,
    state: Arc<State>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    requests: Mutex<Vec<Received>>,
    /// The bytes of each connection.
    bytes: Mutex<Vec<Arc<Mutex<Vec<u8>>>>>,
    streams: Mutex<Vec<TcpStream>>,
    stopping: AtomicBool,
}

impl Origin {
    /// An origin that does `script` with each connection, on a thread of its own. An error ends the connection.
    pub fn scripted(script: impl Fn(&mut Conversation) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), script)
    }

    /// The same at an address.
    pub fn at(
        address: SocketAddr,
        script: impl Fn(&mut Conversation) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let of_acceptor = listener.try_clone().unwrap();
        let state = Arc::new(State::default());
        let of_thread = state.clone();
        let script: Arc<Script> = Arc::new(script);
        let acceptor = thread::spawn(move || accept(&of_acceptor, &of_thread, &script));
        Self { address, listener, state, acceptor: Some(acceptor) }
    }

    /// An ordinary origin: 200 to everything, the request's body as the answer's, the connection kept.
    pub fn echo() -> Self {
        Self::scripted(echo)
    }

    /// The same at an address.
    pub fn echo_at(address: SocketAddr) -> Self {
        Self::at(address, echo)
    }

    /// An origin that holds one request until `gate` is open, answers `ok` to it, and closes.
    pub fn behind(gate: &Gate) -> Self {
        let gate = gate.clone();
        Self::scripted(move |conversation| {
            conversation.request()?;
            gate.pass();
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        })
    }

    /// An origin that answers each request with these bytes, and keeps the connection.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::scripted(move |conversation| {
            loop {
                conversation.request()?;
                conversation.send(&answer)?;
            }
        })
    }

    /// An origin that answers each request with these bytes, and closes.
    pub fn answering_once(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::scripted(move |conversation| {
            conversation.request()?;
            conversation.send(&answer)
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests that came whole.
    pub fn requests(&self) -> Vec<Received> {
        self.state.requests.lock().unwrap().clone()
    }

    /// The last request that came whole.
    #[track_caller]
    pub fn last(&self) -> Received {
        self.requests().pop().expect("a request at the backend")
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.state.bytes.lock().unwrap().len()
    }

    /// All bytes that came, connection by connection.
    pub fn bytes(&self) -> Vec<Vec<u8>> {
        self.state.bytes.lock().unwrap().iter().map(|bytes| bytes.lock().unwrap().clone()).collect()
    }

    /// Whether nobody has sent it anything.
    pub fn is_untouched(&self) -> bool {
        self.bytes().iter().all(Vec::is_empty)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, in whatever network namespace it is.
        let _ = SockRef::from(&self.listener).shutdown(Shutdown::Both);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for stream in self.state.streams.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>, script: &Arc<Script>) {
    for stream in listener.incoming() {
        if state.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        stream.set_nodelay(true).unwrap();
        let record = Arc::new(Mutex::new(Vec::new()));
        let number = {
            let mut bytes = state.bytes.lock().unwrap();
            bytes.push(record.clone());
            bytes.len() - 1
        };
        state.streams.lock().unwrap().push(stream.try_clone().unwrap());
        let (state, script) = (state.clone(), script.clone());
        thread::spawn(move || {
            let reader = Reader::recording(stream, record);
            let mut conversation = Conversation { reader, state, number };
            // How it ended is the other side's to notice.
            let _ = script(&mut conversation);
            let _ = conversation.stream().shutdown(Shutdown::Both);
        });
    }
}

fn echo(conversation: &mut Conversation) -> io::Result<()> {
    loop {
        let request = conversation.request()?;
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
            request.body.len()
        )
        .into_bytes();
        if !request.start.starts_with("HEAD ") {
            answer.extend(&request.body);
        }
        conversation.send(answer)?;
    }
}

/// One connection, from the origin's side.
pub struct Conversation {
    reader: Reader<TcpStream>,
    state: Arc<State>,
    /// The number of the connection, from 0.
    pub number: usize,
}

impl Conversation {
    /// Reads a whole request and keeps it. Says `100 Continue` to who waits for it.
    pub fn request(&mut self) -> io::Result<Message> {
        let mut message = self.reader.head()?;
        if message.field("expect").is_some() {
            self.send("HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        self.reader.request_body(&mut message)?;
        let received = Received { connection: self.number, message: message.clone() };
        self.state.requests.lock().unwrap().push(received);
        Ok(message)
    }

    /// Reads a request's head alone.
    pub fn head(&mut self) -> io::Result<Message> {
        self.reader.head()
    }

    /// The reader, for what is not a whole request.
    pub fn reader(&mut self) -> &mut Reader<TcpStream> {
        &mut self.reader
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream().write_all(bytes.as_ref())
    }

    /// Waits until the other side closes, dropping what it sends.
    pub fn wait_for_end(&mut self) -> io::Result<()> {
        self.reader.to_end().map(drop)
    }

    /// The socket.
    pub fn stream(&mut self) -> &mut TcpStream {
        self.reader.stream()
    }
}

/// A door that is shut until a test opens it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, std::sync::Condvar)>);

impl Gate {
    /// Lets all pass, now and later.
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open.
    pub fn pass(&self) {
        let is_shut = |open: &mut bool| !*open;
        let waited = self.0.1.wait_timeout_while(self.0.0.lock().unwrap(), DEADLINE, is_shut).unwrap();
        assert!(!waited.1.timed_out(), "a gate that nobody opened");
    }
}
