//! How often bytes stand beside one another in values that mean no harm.
//!
//! Estimated from a sample of what browsers send and people write. It steers only which of several necessary literals is
//! looked for: a wrong guess costs time, never a match.

use crate::byte_class::ByteClass;

/// What harmless requests are made of: header values, paths, queries, forms, prose.
const SAMPLE: &str = "\
text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8 gzip, deflate, br \
en-us,en;q=0.5 de-de,de;q=0.9,en;q=0.6 mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) \
chrome/126.0.0.0 safari/537.36 mozilla/5.0 (macintosh; intel mac os x 10_15_7) gecko/20100101 firefox/127.0 keep-alive \
https://www.example.com/products/list?category=shoes&page=2&sort=price_asc&q=running+shoes max-age=0 no-cache \
sessionid=8f3a9c1e5b7d4f2a; _ga=ga1.2.1234567890.1712345678; csrftoken=kj3h4g5f6d7s8a9p0; theme=dark; lang=en \
application/x-www-form-urlencoded application/json; charset=utf-8 multipart/form-data; boundary=----webkitformboundary \
same-origin navigate document cors empty script style image \"chromium\";v=\"126\", \"google chrome\";v=\"126\" ?0 \
john.smith@example.com +1 (555) 123-4567 12 main street, springfield, 2024-05-17t12:34:56.000z 192.168.0.1 true false null \
{\"name\":\"anna\",\"email\":\"anna@mail.org\",\"age\":34,\"address\":{\"city\":\"berlin\",\"zip\":\"10115\"},\"items\":[1,2,3]} \
/assets/js/main.min.js /images/logo.png /static/css/style.css /index.php?id=42 /blog/2023/11/how-to-choose-the-right-one/ \
it was the best of times, and it was not the worst of them: when we have been there before, there is always somebody who \
will select the right order from the menu, or ask where the table is set and what they would like to have with their \
coffee. please update the delivery address for my last order, because i have moved into another house and the old one is no \
longer used. thank you very much for your help! the quick brown fox jumps over the lazy dog; in general, people like to \
create their own lists, then delete them, and insert new things between the lines. this is a comment about the product: it \
works well, but the instructions could be better written. i'd give it four stars, don't you think? we are looking for an \
experienced engineer who can execute a project from the first idea to the final release. what's the difference between the \
small and the large one, and how long does the shipping take? if any of these are out of stock, just cancel the whole thing. \
the company was founded in 1998 and has grown to more than 200 employees across europe, asia and the united states.";

/// The 64 kinds of bytes: letters in either case, digits and marks of ASCII apart, what is beyond ASCII beside them.
#[inline]
pub(crate) fn kind(byte: u8) -> u32 {
    u32::from(byte & 31 | byte >> 1 & 32)
}

/// How often one kind of byte follows another.
#[derive(Debug)]
pub(crate) struct Frequency {
    /// Of each kind: how often.
    alone: [f32; 64],
    /// Of each kind: how often each follows it.
    follows: Box<[[f32; 64]; 64]>,
}

impl Frequency {
    pub fn new() -> Frequency {
        // Everything is a little likely.
        let mut alone = [0.2; 64];
        let mut follows = Box::new([[0.02; 64]; 64]);
        for pair in SAMPLE.as_bytes().windows(2) {
            if let [first, second] = pair {
                let (first, second) = (kind(first | 0x20) as usize, kind(second | 0x20) as usize);
                // A kind is below 64.
                alone[first] += 1.0;
                follows[first][second] += 1.0;
            }
        }
        normalise(&mut alone);
        follows.iter_mut().for_each(normalise);
        Frequency { alone, follows }
    }

    /// How likely `literal`, in lower case, begins at a place.
    pub fn of(&self, literal: &[u8]) -> f32 {
        let mut kinds = literal.iter().map(|byte| kind(byte | 0x20) as usize);
        let Some(first) = kinds.next() else { return 1.0 };
        let start = (self.alone[first], first);
        kinds.fold(start, |(chance, last), next| (chance * self.follows[last][next], next)).0
    }

    /// How likely a place holds one of these bytes.
    pub fn of_class(&self, class: &ByteClass) -> f32 {
        let mut kinds = 0u64;
        class.iter().take_while(u8::is_ascii).for_each(|byte| kinds |= 1 << kind(byte | 0x20));
        let mut sum = 0.0;
        while kinds != 0 {
            // A kind is below 64.
            sum += self.alone[kinds.trailing_zeros() as usize];
            kinds &= kinds - 1;
        }
        sum
    }
}

fn normalise(row: &mut [f32; 64]) {
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|count| *count /= sum);
}
