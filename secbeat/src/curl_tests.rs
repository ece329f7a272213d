use super::*;

fn sent(line: &str) -> String {
    let words = words(line).unwrap();
    String::from_utf8(request(&words[1..]).unwrap()).unwrap()
}

fn refused(line: &str) -> String {
    request(&words(line).unwrap()[1..]).unwrap_err()
}

#[test]
fn a_plain_line_is_a_get() {
    let expected =
        "GET /a?b=c HTTP/1.1\r\nHost: shop.example:8443\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n";
    assert_eq!(sent("curl -sk 'https://u:p@shop.example:8443/a?b=c#d'"), expected);
    assert!(sent("curl shop.example").starts_with("GET / HTTP/1.1\r\nHost: shop.example\r\n"));
    assert!(sent("curl -I http://a?b").starts_with("HEAD /?b HTTP/1.1\r\n"));
}

#[test]
fn data_is_a_form_and_joins() {
    let request =
        sent("curl http://a/ -d x=1 --data-raw @y --data-urlencode 'z=a b&c' --data-urlencode '=ü'");
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("Content-Length: 25\r\nContent-Type: application/x-www-form-urlencoded\r\n"),
        "{request}"
    );
    assert!(request.ends_with("\r\n\r\nx=1&@y&z=a%20b%26c&%C3%BC"), "{request}");
    assert!(sent("curl -G http://a/?q -d x=1 -d y").starts_with("GET /?q&x=1&y HTTP/1.1\r\n"));
    assert!(sent("curl -XPUT http://a/ -d x").starts_with("PUT / "));
}

#[test]
fn json_says_what_it_is() {
    let request = sent(r#"curl http://a/ --json '{"a":' --json '1}'"#);
    assert!(request.contains("Accept: application/json\r\n"), "{request}");
    assert!(
        request.contains("Content-Type: application/json\r\n") && request.ends_with("\r\n\r\n{\"a\":1}"),
        "{request}"
    );
}

#[test]
fn headers_replace_those_of_curl_take_them_out_or_are_empty() {
    let request = sent(
        "curl http://a/ -H 'user-agent: x' -H 'Accept:' -H 'X-Empty;' -H 'X: 1' -b 'a=b' -b c=d -u me:it",
    );
    let fields: Vec<&str> = request.lines().skip(1).collect();
    let expected = [
        "Host: a",
        "Authorization: Basic bWU6aXQ=",
        "Cookie: a=b; c=d",
        "user-agent: x",
        "X-Empty: ",
        "X: 1",
        "",
    ];
    assert_eq!(fields, expected);
    assert!(
        sent("curl http://a/ -A x -e http://b/ --compressed")
            .contains("User-Agent: x\r\nAccept: */*\r\nAccept-Encoding: ")
    );
}

#[test]
fn a_form_is_multipart_with_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.php");
    std::fs::write(&file, "<?php").unwrap();
    let request = sent(&format!("curl http://a/ -F 'x=1' -F 'f=@{};type=image/png'", file.display()));
    assert!(request.contains("Content-Type: multipart/form-data; boundary=----"), "{request}");
    assert!(request.contains("Content-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--"), "{request}");
    let part = "name=\"f\"; filename=\"a.php\"\r\nContent-Type: image/png\r\n\r\n<?php\r\n--";
    assert!(request.contains(part) && request.ends_with("--\r\n"), "{request}");
    let data = sent(&format!("curl http://a/ -d @{}", file.display()));
    assert!(data.ends_with("\r\n\r\n<?php"), "{data}");
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    assert!(refused("curl --proto https http://a/").contains("--proto"));
    assert!(refused("curl -Q x http://a/").contains("-Q"));
    assert!(refused("curl -d").contains("value behind -d"));
    assert!(refused("curl -d x").contains("one URL"));
    assert!(refused("curl ftp://a/").contains("ftp"));
    assert!(refused("curl http://a/ -d @/nowhere/at/all").contains("/nowhere/at/all"));
    assert!(refused("curl http://a/ -b jar.txt").contains("jar.txt"));
}
