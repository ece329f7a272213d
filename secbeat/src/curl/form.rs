//! A body of `-F`: `multipart/form-data` (RFC 7578).

use std::path::Path;

/// Between parts. Curl takes a random one; here the same request is the same each time.
const BOUNDARY: &str = "------------------------secbeat0rule0test";

/// What the request says that its body is.
pub const CONTENT_TYPE: &str = "multipart/form-data; boundary=------------------------secbeat0rule0test";

/// Parts, as they were given.
#[derive(Default)]
pub struct Form(Vec<u8>);

impl Form {
    /// `name=content`, `name=@file`, `name=<file`, with `;type=` and `;filename=` behind.
    pub fn add(&mut self, value: &str) -> Result<(), String> {
        let (name, content) = split(value)?;
        let mut settings = content.split(';');
        let content = settings.next().unwrap_or_default();
        let (mut kind, mut file_name) = (None, None);
        for setting in settings {
            match setting.trim().split_once('=') {
                Some(("type", value)) => kind = Some(value.to_owned()),
                Some(("filename", value)) => file_name = Some(value.trim_matches('"').to_owned()),
                _ => return Err(format!("expected type= or filename= behind `;` of -F, found {setting:?}")),
            }
        }
        let bytes = match content.strip_prefix(['@', '<']) {
            Some(file) => {
                if content.starts_with('@') {
                    let last = Path::new(file).file_name().unwrap_or_default().to_string_lossy().into_owned();
                    file_name.get_or_insert(last);
                    kind.get_or_insert_with(|| "application/octet-stream".into());
                }
                super::read(file)?
            }
            None => content.as_bytes().to_vec(),
        };
        self.part(name, file_name.as_deref(), kind.as_deref(), &bytes);
        Ok(())
    }

    /// `name=content`, whatever the content begins with.
    pub fn add_text(&mut self, value: &str) -> Result<(), String> {
        let (name, content) = split(value)?;
        self.part(name, None, None, content.as_bytes());
        Ok(())
    }

    /// The body.
    pub fn body(mut self) -> Vec<u8> {
        self.0.extend(format!("--{BOUNDARY}--\r\n").bytes());
        self.0
    }

    fn part(&mut self, name: &str, file_name: Option<&str>, kind: Option<&str>, bytes: &[u8]) {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(name));
        if let Some(file_name) = file_name {
            head.push_str(&format!("; filename=\"{}\"", quoted(file_name)));
        }
        if let Some(kind) = kind {
            head.push_str(&format!("\r\nContent-Type: {kind}"));
        }
        self.0.extend(head.bytes());
        self.0.extend(b"\r\n\r\n");
        self.0.extend(bytes);
        self.0.extend(b"\r\n");
    }
}

fn split(value: &str) -> Result<(&str, &str), String> {
    value.split_once('=').ok_or_else(|| format!("expected name=content behind -F, found {value:?}"))
}
