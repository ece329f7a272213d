//! Requests as an HTTP parser would tell them to a transaction.

use secbeat_engine::{Intervention, Transaction};
use secbeat_seclang::{Phase, Variable};

/// A request with its decoded parts.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, without a query.
    pub path: String,
    /// The arguments of the query.
    pub query: Vec<(Vec<u8>, Vec<u8>)>,
    /// The fields of the head, but for the cookies.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The cookies.
    pub cookies: Vec<(Vec<u8>, Vec<u8>)>,
    /// The fields of a form; none: no body.
    pub form: Option<Vec<(Vec<u8>, Vec<u8>)>>,
}

/// Percent-encodes what is no letter or digit.
pub fn encoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'.' | b'_' => out.push(*byte),
            byte if byte.is_ascii_alphanumeric() => out.push(*byte),
            byte => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out
}

fn joined(pairs: &[(Vec<u8>, Vec<u8>)], encode: fn(&[u8]) -> Vec<u8>, between: &[u8]) -> Vec<u8> {
    let parts: Vec<Vec<u8>> =
        pairs.iter().map(|(name, value)| [&encode(name)[..], b"=", &encode(value)].concat()).collect();
    parts.join(between)
}

/// A request, written out once so that telling it costs no more than a parser's slices would.
pub struct Told {
    set: Vec<(Variable, Vec<u8>)>,
    add: Vec<(Variable, Vec<u8>, Vec<u8>)>,
    body_set: Vec<(Variable, Vec<u8>)>,
    body_add: Vec<(Variable, Vec<u8>, Vec<u8>)>,
}

impl Request {
    /// The bytes of all values, and how many there are.
    pub fn size(&self) -> (usize, usize) {
        let told = self.told();
        let all = told.add.iter().chain(&told.body_add).map(|(_, name, value)| name.len() + value.len());
        let sizes: Vec<usize> =
            all.chain(told.set.iter().chain(&told.body_set).map(|(_, value)| value.len())).collect();
        (sizes.len(), sizes.iter().sum())
    }

    /// What a parser would tell of it.
    pub fn told(&self) -> Told {
        use Variable::*;
        let query = joined(&self.query, encoded, b"&");
        let mut uri = self.path.clone().into_bytes();
        if !query.is_empty() {
            uri.push(b'?');
            uri.extend_from_slice(&query);
        }
        let line = [self.method.as_bytes(), b" ", &uri, b" HTTP/1.1"].concat();
        let basename = self.path.rsplit('/').next().unwrap_or_default();
        let set = vec![
            (RequestLine, line),
            (RequestMethod, self.method.clone().into_bytes()),
            (RequestProtocol, b"HTTP/1.1".to_vec()),
            (RequestUri, uri.clone()),
            (RequestUriRaw, uri),
            (RequestFilename, self.path.clone().into_bytes()),
            (RequestBasename, basename.as_bytes().to_vec()),
            (QueryString, query),
        ];
        let mut add: Vec<(Variable, Vec<u8>, Vec<u8>)> =
            self.query.iter().map(|(name, value)| (ArgsGet, name.clone(), value.clone())).collect();
        add.extend(
            self.headers
                .iter()
                .map(|(name, value)| (RequestHeaders, name.clone().into_bytes(), value.clone())),
        );
        if !self.cookies.is_empty() {
            add.push((RequestHeaders, b"Cookie".to_vec(), joined(&self.cookies, <[u8]>::to_vec, b"; ")));
            add.extend(
                self.cookies.iter().map(|(name, value)| (RequestCookies, name.clone(), value.clone())),
            );
        }
        let (mut body_set, mut body_add) = (Vec::new(), Vec::new());
        if let Some(form) = &self.form {
            let body = joined(form, encoded, b"&");
            add.push((
                RequestHeaders,
                b"Content-Type".to_vec(),
                b"application/x-www-form-urlencoded".to_vec(),
            ));
            add.push((RequestHeaders, b"Content-Length".to_vec(), body.len().to_string().into_bytes()));
            body_set.push((ReqbodyProcessor, b"URLENCODED".to_vec()));
            body_set.push((RequestBodyLength, body.len().to_string().into_bytes()));
            body_set.push((RequestBody, body));
            body_add.extend(form.iter().map(|(name, value)| (ArgsPost, name.clone(), value.clone())));
        }
        Told { set, add, body_set, body_add }
    }
}

impl Told {
    /// The phases, in order.
    pub const PHASES: [Phase; 5] = [
        Phase::RequestHeaders,
        Phase::RequestBody,
        Phase::ResponseHeaders,
        Phase::ResponseBody,
        Phase::Logging,
    ];

    /// Tells what is known when a phase begins; the answer is empty.
    pub fn tell(&self, phase: Phase, transaction: &mut Transaction<'_>) {
        let (set, add) = match phase {
            Phase::RequestHeaders => (&self.set, &self.add),
            Phase::RequestBody => (&self.body_set, &self.body_add),
            Phase::ResponseHeaders => {
                transaction.set(Variable::ResponseStatus, b"200");
                return transaction.add(Variable::ResponseHeaders, b"Content-Type", b"text/html");
            }
            Phase::ResponseBody | Phase::Logging => return,
        };
        set.iter().for_each(|(variable, value)| transaction.set(*variable, value));
        add.iter().for_each(|(variable, name, value)| transaction.add(*variable, name, value));
    }

    /// Tells it and runs every phase. Returns what stopped it.
    pub fn run(&self, transaction: &mut Transaction<'_>) -> Option<Intervention> {
        let mut stopped = None;
        for phase in Self::PHASES {
            self.tell(phase, transaction);
            stopped = stopped.or(transaction.run(phase));
        }
        stopped
    }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    list.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

/// The head that a browser sends.
fn browser(method: &str, path: &str) -> Request {
    let headers = [
        ("Host", "shop.example.com"),
        (
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        ),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        ("Accept-Language", "en-GB,en;q=0.9,de;q=0.8"),
        ("Accept-Encoding", "gzip, deflate, br"),
        ("Referer", "https://shop.example.com/catalogue/shoes?page=2"),
        ("Connection", "keep-alive"),
        ("Upgrade-Insecure-Requests", "1"),
        ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    Request {
        method: method.into(),
        path: path.into(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect(),
        cookies: pairs(&[
            ("session", "9f86d081884c7d659a2feaa0c55ad015"),
            ("theme", "dark"),
            ("consent", "1"),
            ("_ga", "GA1.2.1234567890.1700000000"),
        ]),
        ..Request::default()
    }
}

/// A page that a browser asks for, with cookies and a referer.
pub fn page() -> Request {
    Request {
        query: pairs(&[("category", "shoes"), ("page", "3"), ("sort", "price-asc"), ("q", "running shoes")]),
        ..browser("GET", "/catalogue/shoes.html")
    }
}

/// A form of 20 fields in 1.7 KB.
pub fn form() -> Request {
    let fields = [
        ("csrf_token", "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"),
        ("first_name", "Annemarie"),
        ("last_name", "O'Connell-Schmidt"),
        ("email", "annemarie.oconnell@example.co.uk"),
        ("phone", "+44 20 7946 0958"),
        ("street", "221B Baker Street, Flat 4"),
        ("city", "London"),
        ("postcode", "NW1 6XE"),
        ("country", "United Kingdom"),
        ("birthday", "1984-11-23"),
        ("company", "Baker & Sons Ltd."),
        ("vat", "GB 123 4567 89"),
        ("newsletter", "on"),
        ("payment", "invoice"),
        (
            "delivery_note",
            "Please leave the parcel with the neighbour at number 223 if nobody is at home, and ring twice; the bell is on the left side of the door. Thank you very much!",
        ),
        (
            "gift_message",
            "Happy birthday, dear Tom! We hope that you like the new shoes and that they fit. Love from all of us in London, and see you in June.",
        ),
        ("coupon", "SUMMER-2026"),
        (
            "comment",
            "I ordered two pairs last month and they were great. One question: will the blue model be available in size 43 again, or should I rather take another colour? I would like to have them before the 1st of June if that is possible. The order was 4711-0815, the price 129.90 (incl. VAT).",
        ),
        ("return_url", "/account/orders?status=open&sort=date"),
        ("submit", "Place order"),
    ];
    Request { form: Some(pairs(&fields)), ..browser("POST", "/checkout/address") }
}

/// 950 arguments of prose, 100 KB, full of words that rules look for.
pub fn prose() -> Request {
    let words = [
        "select", "the", "cat", "and", "dog", "or", "union", "of", "workers", "from", "table", "to", "where",
        "they", "like", "echo", "in", "order", "by", "having", "lunch", "at", "home", "with", "print",
        "system", "update", "drop", "it", "into", "a", "set", "for", "more", "than", "one", "time", "find",
        "sleep", "document", "script",
    ];
    let mut at = 7usize;
    let mut fields = Vec::new();
    for number in 0..950 {
        let mut text = String::new();
        while text.len() < 96 {
            // A linear congruential generator: the same prose each time.
            at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(words[(at >> 33) % words.len()]);
            text.push_str(if (at >> 41).is_multiple_of(9) { ", " } else { " " });
        }
        fields.push((format!("field{number}").into_bytes(), text.trim_end().as_bytes().to_vec()));
    }
    Request { form: Some(fields), ..browser("POST", "/import") }
}
