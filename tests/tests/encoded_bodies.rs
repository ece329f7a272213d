//! Bodies that are compressed, and bodies of XML: what is hidden in them is found, what could be read in two ways is refused, and
//! what is good arrives as it was sent, byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use flate2::{Compression, write};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use secbeat_tests::{Answer, Node, Origin, Setup, request};
use std::io::Write;

const FORM: &str = "application/x-www-form-urlencoded";
const ATTACK: &str = "a=1&q=%3Cscript%3Ealert(1)%3C/script%3E";
const CODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

fn encoded(coding: &str, plain: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut encoder = write::GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            // RFC 7932 9.1, 9.2: a window of 16 bits, one meta-block that is stored, and the empty last one.
            let length = u32::try_from(plain.len() - 1).unwrap();
            let head = (length << 4 | 1 << 20).to_le_bytes();
            [&head[..3], plain, &[0b11]].concat()
        }
        "zstd" => compress_to_vec(plain, CompressionLevel::Fastest),
        other => panic!("{other} is no coding"),
    }
}

/// As a client sends a body of this type that these codings were applied to.
fn post(node: &Node, kind: &str, codings: &str, body: &[u8]) -> Answer {
    let fields = format!("Content-Type: {kind}\r\nContent-Encoding: {codings}\r\n");
    node.ask(request("POST /", &fields, body))
}

fn post_plain(node: &Node, kind: &str, body: &str) -> Answer {
    node.ask(request("POST /", &format!("Content-Type: {kind}\r\n"), body))
}

#[track_caller]
fn stopped_by(node: &Node, answer: &Answer, rule: &str) {
    assert_eq!(answer.status, 403);
    assert_eq!(node.event_of(answer)["rule_id"], rule);
}

#[test]
fn what_is_hidden_in_a_compressed_body_is_found_in_every_coding_and_two_layers_deep() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let multipart =
        "--b\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\n<script>alert(1)</script>\r\n--b--\r\n";
    for (kind, attack) in [
        (FORM, ATTACK),
        ("application/json", r#"{"a":[1,{"q":"<script>alert(1)</script>"}]}"#),
        ("multipart/form-data; boundary=b", multipart),
        ("text/xml", "<a>&lt;script&gt;alert(1)&lt;/script&gt;</a>"),
    ] {
        for coding in CODINGS {
            let once = encoded(coding, attack.as_bytes());
            let answer = post(&node, kind, coding, &once);
            assert_eq!(answer.status, 403, "{kind} {coding}");
            assert_eq!(node.event_of(&answer)["attack_type"], "xss", "{kind} {coding}");
            for outer in CODINGS {
                let answer = post(&node, kind, &format!("{coding}, {outer}"), &encoded(outer, &once));
                assert_eq!(answer.status, 403, "{kind} {coding}, {outer}");
                assert_eq!(node.event_of(&answer)["attack_type"], "xss", "{kind} {coding}, {outer}");
            }
        }
    }
    assert!(origin.is_untouched());
}

#[test]
fn a_good_compressed_body_arrives_as_it_was_sent() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    for coding in CODINGS {
        let once = encoded(coding, "name=Zo%C3%AB&order=tea+and+cake".repeat(20).as_bytes());
        for (codings, body) in
            [(coding.to_owned(), once.clone()), (format!("{coding}, gzip"), encoded("gzip", &once))]
        {
            assert_eq!(post(&node, FORM, &codings, &body).status, 200, "{codings}");
            let received = origin.last();
            assert!(received.message.body == body, "{codings}");
            assert_eq!(received.field("content-encoding"), Some(codings.as_str()));
            assert_eq!(received.field("content-length"), Some(body.len().to_string().as_str()));
        }
    }
}

#[test]
fn what_grows_too_much_is_broken_or_of_an_unknown_coding_is_refused() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let bomb = vec![b'0'; 4 << 20];
    for coding in ["gzip", "deflate", "zstd"] {
        stopped_by(&node, &post(&node, FORM, coding, &encoded(coding, &bomb)), "secbeat-body-compression");
    }
    // Each layer grows by little, and both together by too much.
    let layer = encoded("gzip", &encoded("gzip", &bomb));
    stopped_by(&node, &post(&node, FORM, "gzip, gzip", &layer), "secbeat-body-compression");
    let thrice = CODINGS.iter().take(3).fold(b"a=b".to_vec(), |body, coding| encoded(coding, &body));
    assert_eq!(post(&node, FORM, "gzip, deflate, br", &thrice).status, 415, "a layer too many");
    for coding in CODINGS {
        let whole = encoded(coding, ATTACK.as_bytes());
        let cut = &whole[..whole.len() - 1];
        stopped_by(&node, &post(&node, FORM, coding, cut), "secbeat-body-compression");
        // What is behind its end, another program might read.
        let more = [whole.as_slice(), b"a=1"].concat();
        stopped_by(&node, &post(&node, FORM, coding, &more), "secbeat-body-compression");
        // It says that it is compressed, and is not.
        stopped_by(&node, &post(&node, FORM, coding, b"a=1&b=2"), "secbeat-body-compression");
    }
    for coding in ["compress", "gzip, exi", "gzip;q=1", "aes128gcm"] {
        assert_eq!(post(&node, FORM, coding, &encoded("gzip", b"a=b")).status, 415, "{coding}");
    }
    assert!(origin.is_untouched());
    // What is not inspected is not decoded either.
    assert_eq!(post(&node, "application/gzip", "gzip", b"no gzip").status, 200);
    assert_eq!(post(&node, "application/octet-stream", "exi", b"anything").status, 200);
}

#[test]
fn a_layer_and_a_ratio_more_pass_where_the_settings_say_so() {
    let origin = Origin::echo();
    let setup = Setup::before(&origin).set("waf.compression_layers_max", 3);
    let node = setup.set("waf.compression_ratio_max", 10_000).start();
    let thrice = (0..3).fold(ATTACK.as_bytes().to_vec(), |body, _| encoded("gzip", &body));
    let answer = post(&node, FORM, "gzip, gzip, gzip", &thrice);
    assert_eq!((answer.status, &node.event_of(&answer)["attack_type"]), (403, &"xss".into()));
    let zeros = encoded("gzip", &vec![b'0'; 1 << 20]);
    assert_eq!(post(&node, FORM, "gzip", &zeros).status, 200);
    assert!(origin.last().message.body == zeros);
}

#[test]
fn what_is_hidden_in_xml_is_found_wherever_it_stands() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    for body in [
        "<a><b>&lt;script&gt;alert(1)&lt;/script&gt;</b></a>",
        "<a><b>&#60;&#x73;cript&gt;alert(1)&lt;/script&gt;</b></a>",
        "<a b='&lt;script&gt;alert(1)&lt;/script&gt;'/>",
        "<a><![CDATA[<script>alert(1)</script>]]></a>",
        "<a>&lt;scr<!-- between -->ipt<![CDATA[>alert(1)<]]>/script&gt;</a>",
        "<?xml version=\"1.0\"?><s:E xmlns:s='u'><s:B><q>1 union select password from users</q></s:B></s:E>",
    ] {
        for kind in ["text/xml", "application/xml; charset=utf-8", "application/soap+xml"] {
            let answer = post_plain(&node, kind, body);
            assert_eq!(answer.status, 403, "{kind} {body}");
            let category = node.event_of(&answer)["attack_type"].clone();
            assert!(category == "xss" || category == "sql_injection", "{kind} {body}: {category}");
        }
    }
    assert!(origin.is_untouched());
}

#[test]
fn xml_with_a_document_type_or_that_is_none_is_refused_and_good_xml_arrives_as_it_was_sent() {
    let origin = Origin::echo();
    // Without rules that would find something in such a body.
    let node = Setup::before(&origin).rules(r#"{"rules":[]}"#).start();
    for body in [
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><a>&x;</a>",
        "<!DOCTYPE a SYSTEM \"http://evil.test/a.dtd\"><a/>",
        "<!DOCTYPE l [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><l>&b;</l>",
        "<a>&unknown;</a>",
        "<a><b></a></b>",
        "<a/><b/>",
        "<a",
    ] {
        let answer = post_plain(&node, "application/xml", body);
        assert_eq!(answer.status, 403, "{body}");
        let rule = node.event_of(&answer)["rule_id"].as_str().unwrap().to_owned();
        assert!(rule.starts_with("secbeat-body-"), "{body}: {rule}");
    }
    assert!(origin.is_untouched());
    let soap = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\">\n\
        <!-- an order --><soap:Body><m:Order xmlns:m=\"https://shop.example/o\" m:id='7'>\n<m:Item>Tea &amp; cake, 2 &lt; 3</m:Item>\
        <m:Note><![CDATA[Zoë's]]></m:Note></m:Order></soap:Body></soap:Envelope>\n";
    let answer =
        node.ask(request("POST /soap", "Content-Type: text/xml\r\nSOAPAction: \"o/Order\"\r\n", soap));
    assert_eq!(answer.status, 200);
    assert_eq!(origin.last().message.text(), soap);
}
