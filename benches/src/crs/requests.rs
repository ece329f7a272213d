//! What is asked: benign requests of every shape that a rule set takes apart, each of fixed bytes.

use std::fmt::Write;

use crate::stats::SplitMix64;

/// Requests of a kind whose values change from one to the next.
const VARIANTS: u64 = 512;
/// Arguments of the largest form.
const ARGUMENTS: usize = 950;
/// The boundary of multipart bodies, as Chrome makes them.
const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gWq";

const QUERY: &[(&str, &str)] =
    &[("q", "waterproof hiking boots"), ("category", "outdoor"), ("sort", "price_asc"), ("page", "2")];

const COOKIES: &[(&str, &str)] = &[
    ("session", "9f3c1a7e5b2d4860a1c3e5f708192a3b"),
    ("_ga", "GA1.1.1182736450.1714650011"),
    ("_gid", "GA1.1.990817263.1714650011"),
    ("consent", "necessary.statistics"),
    ("currency", "EUR"),
    ("lang", "en-GB"),
    ("cart", "c5021f-8842-3"),
    ("last_seen", "1714653600"),
];

/// What Chrome says of itself.
const BROWSER: &str = "\
Connection: keep-alive\r\n\
sec-ch-ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\n\
sec-ch-ua-mobile: ?0\r\n\
sec-ch-ua-platform: \"Linux\"\r\n\
Upgrade-Insecure-Requests: 1\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
Sec-Fetch-Site: same-origin\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-Dest: document\r\n\
Accept-Encoding: gzip, deflate, br\r\n\
Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
Referer: https://shop.example/shop/outdoor\r\n";

/// An order, as a shop asks for it.
const FIELDS: &[(&str, &str)] = &[
    ("first_name", "Katharina"),
    ("last_name", "Lindqvist Moreau"),
    ("email", "katharina.lindqvist@mail.example"),
    ("phone", "+49 30 5550 1234"),
    ("company", "Lindqvist Moreau Architects"),
    ("street", "Gartenstrasse 117, second floor"),
    ("postcode", "10115"),
    ("city", "Berlin"),
    ("country", "Germany"),
    ("birthday", "1987-06-14"),
    ("newsletter", "weekly"),
    ("payment", "invoice"),
    ("delivery", "2026-12-02 between 9:00 and 12:00"),
    ("voucher", "AUTUMN-2026-7731"),
    ("item", "Hiking boots, waterproof, size 41, dark green"),
    ("quantity", "2"),
    ("gift", "no"),
    ("greeting", "Happy birthday to my favourite mountaineer! See you at the hut in May."),
    (
        "reason",
        "The old pair lasted for eight years, and the soles have been renewed twice. The shop in town told me that they no \
         longer carry this model, so I would like to try it from here. Please send both sizes if that is possible.",
    ),
    (
        "comment",
        "Please leave the parcel with the neighbours on the ground floor if nobody is at home: the bell is labelled \
         Moreau. The entrance is in the yard, behind the bakery, and the gate is open until 18:00. Last time the \
         delivery came a day late and stood in the rain, which the box did not survive, but the boots were fine. If one \
         of the two pairs is out of stock, I can wait for a week; after that I would rather have the brown ones. Thank \
         you very much, your team has always been friendly and quick, and I have recommended you to all of my friends \
         in the alpine club. One more thing: my account still shows the address of the flat in Hamburg, and I have not found \
         where to change it. Could you do that for me, and send the invoice for both orders to the office? The tax number \
         has stayed the same, and the accountant asks for a copy by email. Kind regards, Katharina",
    ),
];

/// Words of harmless prose, and among them those that rules for SQL and for shells look at.
const WORDS: &[&str] = &[
    "select", "and", "or", "cat", "the", "select", "and", "or", "cat", "a", "please", "garden", "table",
    "where", "old", "is", "house", "order", "by", "house", "river", "of", "hour", "sleeps", "under", "green",
    "us", "bread", "all", "like", "to", "be", "between", "south", "north", "in", "not", "more", "less",
];

/// A shape of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A page asked for by a browser, with a query and eight cookies.
    Get,
    /// The same, with other values each time.
    GetVaried,
    /// A form of 20 fields.
    Form,
    /// The same, with other values each time.
    FormVaried,
    /// The fields of the form, nested.
    Json,
    /// The fields of the form, a part each.
    Multipart,
    /// The fields of the form, an element each.
    Xml,
    /// 950 arguments of prose in 100 KB.
    Args,
}

impl Kind {
    /// All, in the order they are measured.
    pub const ALL: [Self; 8] = [
        Self::Get,
        Self::GetVaried,
        Self::Form,
        Self::FormVaried,
        Self::Json,
        Self::Multipart,
        Self::Xml,
        Self::Args,
    ];

    /// The kind as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Get => "browser GET",
            Self::GetVaried => "browser GET, values vary",
            Self::Form => "form, 20 fields",
            Self::FormVaried => "form, values vary",
            Self::Json => "JSON",
            Self::Multipart => "multipart, 20 parts",
            Self::Xml => "XML",
            Self::Args => "950 arguments",
        }
    }

    /// Whether values change from one request to the next.
    pub fn varies(self) -> bool {
        matches!(self, Self::GetVaried | Self::FormVaried)
    }

    /// Keep-alive connections: enough to keep the proxy's core busy, and so few where a request may take a second that
    /// nobody waits long.
    pub fn connections(self) -> usize {
        if self == Self::Args { 2 } else { 64 }
    }

    /// The requests, which are sent in turn.
    pub fn requests(self) -> Vec<Vec<u8>> {
        let variants = if self.varies() { VARIANTS } else { 1 };
        (0..variants).map(|number| self.request(number)).collect()
    }

    fn request(self, number: u64) -> Vec<u8> {
        let mut vary = Vary { random: SplitMix64(number), on: self.varies() };
        match self {
            Self::Get | Self::GetVaried => get(&mut vary),
            Self::Form | Self::FormVaried => {
                post("application/x-www-form-urlencoded", &form(&vary.all(FIELDS)))
            }
            Self::Json => post("application/json", &json()),
            Self::Multipart => post(&format!("multipart/form-data; boundary={BOUNDARY}"), &multipart()),
            Self::Xml => post("application/xml", &xml()),
            Self::Args => post("application/x-www-form-urlencoded", &form(&prose())),
        }
    }
}

/// Puts other vowels and digits in the place of a value's own, where it is on.
struct Vary {
    random: SplitMix64,
    on: bool,
}

impl Vary {
    fn value(&mut self, value: &str) -> String {
        if !self.on {
            return value.to_owned();
        }
        let mut one_of = |set: &[u8]| set.get(self.random.below(set.len())).copied().map_or('a', char::from);
        value
            .chars()
            .map(|character| match character {
                'a' | 'e' | 'i' | 'o' | 'u' => one_of(b"aeiou"),
                '0'..='9' => one_of(b"0123456789"),
                _ => character,
            })
            .collect()
    }

    fn all(&mut self, fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), self.value(value))).collect()
    }
}

fn get(vary: &mut Vary) -> Vec<u8> {
    let query = form(&vary.all(QUERY));
    let cookies: Vec<String> =
        vary.all(COOKIES).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = cookies.join("; ");
    format!("GET /shop/search?{query} HTTP/1.1\r\nHost: shop.example\r\n{BROWSER}Cookie: {cookies}\r\n\r\n")
        .into()
}

fn post(content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /shop/order HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://shop.example\r\n{BROWSER}\
         Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// `fields` as `application/x-www-form-urlencoded` has them.
fn form(fields: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value.as_bytes()))).collect();
    pairs.join("&")
}

/// Bytes as the URL standard writes them in forms.
pub fn encoded(value: &[u8]) -> String {
    value.iter().fold(String::with_capacity(value.len()), |mut text, &byte| {
        let _ = match byte {
            b' ' => text.write_char('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                text.write_char(byte.into())
            }
            _ => write!(text, "%{byte:02X}"),
        };
        text
    })
}

fn json() -> String {
    let object = |fields: &[(&str, &str)]| {
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect::<serde_json::Map<_, _>>()
    };
    let (customer, rest) = FIELDS.split_at(5);
    let (address, order) = rest.split_at(4);
    serde_json::json!({
        "version": 3,
        "customer": { "person": object(customer), "address": object(address), "tags": ["retail", "alpine", "2026"] },
        "order": { "lines": [object(order), { "item": "Laces", "quantity": 4, "gift": false, "weight": 0.02 }] },
    })
    .to_string()
}

fn multipart() -> String {
    let mut body = String::new();
    for (name, value) in FIELDS {
        let _ = write!(
            body,
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    body + "--" + BOUNDARY + "--\r\n"
}

fn xml() -> String {
    let mut body = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<order number=\"1042\" currency=\"EUR\">\n",
    );
    for (name, value) in FIELDS {
        let _ = writeln!(body, "  <{name} source=\"form\">{value}</{name}>");
    }
    body + "</order>\n"
}

/// Arguments of about a hundred bytes each.
fn prose() -> Vec<(String, String)> {
    let mut random = SplitMix64(0);
    let mut sentence = || {
        let mut text = String::new();
        while text.len() < 95 {
            text.push_str(WORDS.get(random.below(WORDS.len())).copied().unwrap_or_default());
            text.push(' ');
        }
        text.truncate(text.trim_end().len());
        text
    };
    (0..ARGUMENTS).map(|number| (format!("field{number}"), sentence())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_bytes(kind: Kind) -> usize {
        let request = String::from_utf8(kind.request(0)).unwrap();
        request.split_once("\r\n\r\n").unwrap().1.len()
    }

    #[test]
    fn bodies_have_the_sizes_that_the_table_names() {
        assert!((1_600..1_800).contains(&body_bytes(Kind::Form)), "{}", body_bytes(Kind::Form));
        assert!((100_000..110_000).contains(&body_bytes(Kind::Args)), "{}", body_bytes(Kind::Args));
        assert_eq!(FIELDS.len(), 20);
        assert_eq!(COOKIES.len(), 8);
    }

    #[test]
    fn what_varies_is_another_request_each_time_of_the_same_shape() {
        for kind in [Kind::GetVaried, Kind::FormVaried] {
            let requests = kind.requests();
            let different: std::collections::HashSet<_> = requests.iter().collect();
            assert_eq!(different.len(), requests.len());
            let lengths: std::collections::HashSet<_> = requests.iter().map(Vec::len).collect();
            assert_eq!(lengths.len(), 1, "{lengths:?}");
        }
    }

    #[test]
    fn what_does_not_vary_is_one_request() {
        assert_eq!(Kind::Json.requests().len(), 1);
        assert_eq!(Kind::Args.request(0), Kind::Args.request(1));
    }

    #[test]
    fn bytes_that_a_form_cannot_hold_are_escaped() {
        assert_eq!(encoded(b"a b&\xff*"), "a+b%26%FF*");
    }
}
