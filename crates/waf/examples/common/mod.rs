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

/// An order of 20 fields, as a browser sends it from a form.
#[allow(dead_code, reason = "not every measurement sends it")]
pub const FORM: &[u8] = b"\
    first_name=Katharina&last_name=Lindqvist+Moreau&email=katharina.lindqvist%40mail.example&phone=%2B49+30+5550+1\
    234&company=Lindqvist+Moreau+Architects&street=Gartenstrasse+117%2C+second+floor&postcode=10115&city=Berlin&co\
    untry=Germany&birthday=1987-06-14&newsletter=weekly&payment=invoice&delivery=2026-12-02+between+9%3A00+and+12%\
    3A00&voucher=AUTUMN-2026-7731&item=Hiking+boots%2C+waterproof%2C+size+41%2C+dark+green&quantity=2&gift=no&gree\
    ting=Happy+birthday+to+my+favourite+mountaineer%21+See+you+at+the+hut+in+May.&reason=The+old+pair+lasted+for+e\
    ight+years%2C+and+the+soles+have+been+renewed+twice.+The+shop+in+town+told+me+that+they+no+longer+carry+this+m\
    odel%2C+so+I+would+like+to+try+it+from+here.+Please+send+both+sizes+if+that+is+possible.&comment=Please+leave+\
    the+parcel+with+the+neighbours+on+the+ground+floor+if+nobody+is+at+home%3A+the+bell+is+labelled+Moreau.+The+en\
    trance+is+in+the+yard%2C+behind+the+bakery%2C+and+the+gate+is+open+until+18%3A00.+Last+time+the+delivery+came+\
    a+day+late+and+stood+in+the+rain%2C+which+the+box+did+not+survive%2C+but+the+boots+were+fine.+If+one+of+the+tw\
    o+pairs+is+out+of+stock%2C+I+can+wait+for+a+week%3B+after+that+I+would+rather+have+the+brown+ones.+Thank+you+v\
    ery+much%2C+your+team+has+always+been+friendly+and+quick%2C+and+I+have+recommended+you+to+all+of+my+friends+in\
    +the+alpine+club.+One+more+thing%3A+my+account+still+shows+the+address+of+the+flat+in+Hamburg%2C+and+I+have+no\
    t+found+where+to+change+it.+Could+you+do+that+for+me%2C+and+send+the+invoice+for+both+orders+to+the+office%3F+\
    The+tax+number+has+stayed+the+same%2C+and+the+accountant+asks+for+a+copy+by+email.+Kind+regards%2C+Katharina";

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
