//! A command line of curl as the request that it would send; nothing is sent. What its manual says of each option is what is
//! done; what does not change the request is passed over, and what is not known is refused by name.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`shell`] | a line as the words that a shell makes of it |
//! | [`options`] | which options take a value, and which change the request |
//! | [`form`] | bodies of `-F` |

mod form;
mod options;
mod shell;

pub use shell::words;

use form::Form;
use options::Meaning;

/// What curl sends as `User-Agent` where nothing is said.
const USER_AGENT: &str = "curl/8.5.0";

/// The request of a command line, all of its words behind `curl`, as bytes of HTTP/1.1.
///
/// # Errors
/// What of it is not understood, or which file cannot be read.
pub fn request(words: &[String]) -> Result<Vec<u8>, String> {
    let mut line = Line::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some("") => line.urls.extend(words.by_ref().cloned()),
            Some(name) => {
                let meaning = options::long(name).ok_or_else(|| unknown(word))?;
                let value = if meaning.takes_value() { Some(value(&mut words, word)?) } else { None };
                line.heed(meaning, value.as_deref().unwrap_or_default())?;
            }
            None if word.len() > 1 && word.starts_with('-') => line.short(word, &mut words)?,
            None => line.urls.push(word.clone()),
        }
    }
    line.written()
}

fn unknown(word: &str) -> String {
    format!("the option {word} of curl is not known here; leave it out, or write the request into a file")
}

fn value<'w>(words: &mut impl Iterator<Item = &'w String>, option: &str) -> Result<String, String> {
    words.next().cloned().ok_or_else(|| format!("expected a value behind {option}"))
}

/// What a command line says.
#[derive(Default)]
struct Line {
    urls: Vec<String>,
    method: Option<String>,
    headers: Vec<String>,
    /// Headers of options that `-H` overrides: name and value.
    defaults: Vec<(&'static str, String)>,
    cookies: Vec<String>,
    data: Option<Vec<u8>>,
    is_json: bool,
    form: Option<Form>,
    in_query: bool,
    head: bool,
    is_http10: bool,
}

impl Line {
    /// `-sSX POST`, `-XPOST`
    fn short<'w>(&mut self, word: &str, words: &mut impl Iterator<Item = &'w String>) -> Result<(), String> {
        let mut letters = word.get(1..).unwrap_or_default().chars();
        while let Some(letter) = letters.next() {
            let option = format!("-{letter}");
            let meaning = options::short(letter).ok_or_else(|| unknown(&option))?;
            if !meaning.takes_value() {
                self.heed(meaning, "")?;
                continue;
            }
            let given = match letters.as_str() {
                "" => value(words, &option)?,
                rest => rest.to_owned(),
            };
            return self.heed(meaning, &given);
        }
        Ok(())
    }

    fn heed(&mut self, meaning: Meaning, value: &str) -> Result<(), String> {
        match meaning {
            Meaning::Nothing | Meaning::NothingOfValue => {}
            Meaning::Url => self.urls.push(value.to_owned()),
            Meaning::Method => self.method = Some(value.to_owned()),
            Meaning::Header => match value.strip_prefix('@') {
                Some(file) => {
                    let text = String::from_utf8_lossy(&read(file)?).into_owned();
                    self.headers.extend(text.lines().map(str::to_owned));
                }
                None => self.headers.push(value.to_owned()),
            },
            Meaning::Default(name) => self.defaults.push((name, value.to_owned())),
            Meaning::User => {
                self.defaults.push(("Authorization", format!("Basic {}", base64(value.as_bytes()))))
            }
            Meaning::Range => self.defaults.push(("Range", format!("bytes={value}"))),
            Meaning::Compressed => self.defaults.push(("Accept-Encoding", "deflate, gzip, br, zstd".into())),
            Meaning::Cookie if value.contains('=') => self.cookies.push(value.to_owned()),
            Meaning::Cookie => {
                return Err(format!("{value}: files of cookies are not read; give the cookies themselves"));
            }
            Meaning::Data => self.add_data(&from_file(value, true)?),
            Meaning::DataRaw => self.add_data(value.as_bytes()),
            Meaning::DataBinary => self.add_data(&from_file(value, false)?),
            Meaning::DataUrlencoded => self.add_data(&urlencoded(value)?),
            Meaning::Json => {
                self.is_json = true;
                self.data.get_or_insert_default().extend(from_file(value, false)?);
            }
            Meaning::Form => self.form.get_or_insert_default().add(value)?,
            Meaning::FormString => self.form.get_or_insert_default().add_text(value)?,
            Meaning::Get => self.in_query = true,
            Meaning::Head => self.head = true,
            Meaning::Http10 => self.is_http10 = true,
        }
        Ok(())
    }

    fn add_data(&mut self, more: &[u8]) {
        match &mut self.data {
            Some(data) => {
                data.push(b'&');
                data.extend_from_slice(more);
            }
            None => self.data = Some(more.to_vec()),
        }
    }

    fn written(mut self) -> Result<Vec<u8>, String> {
        let [url] = self.urls.as_slice() else {
            return Err(format!("expected one URL in the command line of curl, found {}", self.urls.len()));
        };
        let (host, mut target) = address(url)?;
        if self.data.is_some() && self.form.is_some() {
            return Err("expected -d or -F in the command line of curl, found both".into());
        }
        let data = if self.in_query { None } else { self.data.take() };
        if let Some(query) = self.data.take() {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&String::from_utf8_lossy(&query));
        }
        let (body, content_type) = match (self.form.take(), data) {
            (Some(form), _) => (Some(form.body()), Some(form::CONTENT_TYPE)),
            (None, Some(data)) if self.is_json => (Some(data), Some("application/json")),
            (None, Some(data)) => (Some(data), Some("application/x-www-form-urlencoded")),
            (None, None) => (None, None),
        };
        let method = self.method.clone().unwrap_or_else(|| {
            let method = match (self.head, &body) {
                (true, _) => "HEAD",
                (false, Some(_)) => "POST",
                (false, None) => "GET",
            };
            method.into()
        });
        let version = if self.is_http10 { "1.0" } else { "1.1" };
        let mut out = format!("{method} {target} HTTP/{version}\r\n");
        let mut field = |name: &str, value: &str| out.push_str(&format!("{name}: {value}\r\n"));
        let last = |name: &str| {
            self.defaults.iter().rfind(|(known, _)| *known == name).map(|(_, value)| value.clone())
        };
        let accept = if self.is_json { "application/json" } else { "*/*" };
        let length = body.as_ref().map(|body| body.len().to_string());
        let cookies = (!self.cookies.is_empty()).then(|| self.cookies.join("; "));
        let own = [
            ("Host", Some(host)),
            ("Authorization", last("Authorization")),
            ("Range", last("Range")),
            ("User-Agent", Some(last("User-Agent").unwrap_or_else(|| USER_AGENT.into()))),
            ("Accept", Some(accept.into())),
            ("Accept-Encoding", last("Accept-Encoding")),
            ("Referer", last("Referer")),
            ("Cookie", cookies),
            ("Content-Length", length),
            ("Content-Type", content_type.map(str::to_owned)),
        ];
        let given: Vec<Given<'_>> = self.headers.iter().filter_map(|header| given(header)).collect();
        for (name, value) in own {
            let is_given = given.iter().any(|given| given.name.eq_ignore_ascii_case(name));
            if let Some(value) = value.filter(|value| !is_given && !value.is_empty()) {
                field(name, &value);
            }
        }
        for Given { name, value } in given {
            if let Some(value) = value {
                field(name, value);
            }
        }
        out.push_str("\r\n");
        let mut out = out.into_bytes();
        out.extend(body.unwrap_or_default());
        Ok(out)
    }
}

/// What `-H` says.
struct Given<'h> {
    name: &'h str,
    /// `None`: the header is not sent at all.
    value: Option<&'h str>,
}

/// `Name: value`; `Name:` takes a header out; `Name;` has one without a value.
fn given(header: &str) -> Option<Given<'_>> {
    let header = header.trim_end_matches(['\r', '\n']);
    match header.split_once(':') {
        Some((name, value)) if value.trim().is_empty() => Some(Given { name, value: None }),
        Some((name, value)) => Some(Given { name, value: Some(value.trim_start_matches([' ', '\t'])) }),
        None => header.strip_suffix(';').map(|name| Given { name, value: Some("") }),
    }
}

/// Authority and target of a URL.
fn address(url: &str) -> Result<(String, String), String> {
    let rest = match url.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        Some((scheme, _)) => return Err(format!("expected a URL of http or https, found {scheme}")),
        None => url,
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.is_empty() {
        return Err(format!("expected a URL with a host, found {url:?}"));
    }
    let slash = if target.starts_with('/') { "" } else { "/" };
    Ok((host.to_owned(), format!("{slash}{target}")))
}

/// The text, or where it is `@file` what the file holds; `-d` leaves out line ends.
fn from_file(value: &str, without_line_ends: bool) -> Result<Vec<u8>, String> {
    let Some(file) = value.strip_prefix('@') else { return Ok(value.as_bytes().to_vec()) };
    let mut bytes = read(file)?;
    if without_line_ends {
        bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
    }
    Ok(bytes)
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{file}: {error}; the command line of curl names it"))
}

/// `content`, `=content`, `name=content`, `@file`, `name@file`.
fn urlencoded(value: &str) -> Result<Vec<u8>, String> {
    let (name, content) = match value.find(['=', '@']) {
        Some(at) if value.get(at..).is_some_and(|rest| rest.starts_with('@')) => {
            (value.get(..at), read(value.get(at + 1..).unwrap_or_default())?)
        }
        Some(at) => (value.get(..at), value.get(at + 1..).unwrap_or_default().as_bytes().to_vec()),
        None => (None, value.as_bytes().to_vec()),
    };
    let mut out = match name {
        Some(name) if !name.is_empty() => format!("{name}="),
        _ => String::new(),
    };
    for byte in content {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(out.into_bytes())
}

/// RFC 4648, 4.
pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
#[path = "curl_tests.rs"]
mod tests;
