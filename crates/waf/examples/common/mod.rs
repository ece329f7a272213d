//! What the measurements of the firewall share.

use secbeat_waf::{Rule, parse_rules};

/// The head that a browser sends, with the cookies of a shop.
pub const FIELDS: [(&[u8], &[u8]); 15] = [
    (b"Host", b"shop.example"),
    (b"Connection", b"keep-alive"),
    (b"sec-ch-ua", b"\"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\""),
    (b"sec-ch-ua-mobile", b"?0"),
    (b"sec-ch-ua-platform", b"\"Linux\""),
    (b"Upgrade-Insecure-Requests", b"1"),
    (
        b"User-Agent",
        b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    ),
    (b"Accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    (b"Sec-Fetch-Site", b"same-origin"),
    (b"Sec-Fetch-Mode", b"navigate"),
    (b"Sec-Fetch-Dest", b"document"),
    (b"Accept-Encoding", b"gzip, deflate, br"),
    (b"Accept-Language", b"en-GB,en;q=0.9,de;q=0.8"),
    (b"Referer", b"https://shop.example/shop/outdoor"),
    (
        b"Cookie",
        b"session=9f3c1a7e5b2d4860a1c3e5f708192a3b; _ga=GA1.1.1182736450.1714650011; _gid=GA1.1.990817263.1714650011; \
          consent=necessary.statistics; currency=EUR; lang=en-GB; cart=c5021f-8842-3; last_seen=1714653600",
    ),
];

/// Nanoseconds that this process has had of a processor: what else runs on the machine does not count.
pub fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

/// The rules that are shipped.
///
/// # Errors
/// What is wrong with the file.
pub fn shipped_rules() -> Result<Vec<Rule>, Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../mitigation-node/config/waf_rules.json");
    Ok(parse_rules(&std::fs::read_to_string(path)?)?)
}

/// How often something is measured, unless `TIMES` says otherwise.
pub fn times(usually: u32) -> u32 {
    std::env::var("TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(usually)
}
