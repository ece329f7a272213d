//! The pages of the sample site. What a visitor sent is escaped before it is shown.

/// `/`
pub fn home() -> String {
    page("A small tea shop", "<p>This site is protected by SecBeat. Look around, or try to break it.</p>")
}

/// `/about`
pub fn about() -> String {
    page(
        "About",
        "<p>We select teas from all over the world, update our settings twice a year, and drop in for a cup.</p>",
    )
}

/// `/search`
pub fn search(query: &str) -> String {
    let found = match query {
        "" => String::new(),
        query => format!("<p>Nothing found for <b>{}</b>.</p>", escape(query)),
    };
    page("Search", &format!("<form><input name=\"q\"> <button>Search</button></form>{found}"))
}

/// `/contact`
pub fn contact() -> String {
    page(
        "Contact",
        "<form method=\"post\"><p><input name=\"name\" placeholder=\"Name\"></p>\
         <p><textarea name=\"message\"></textarea></p><button>Send</button></form>",
    )
}

/// `POST /contact`
pub fn contacted(name: &str, message: &str) -> String {
    page("Thank you", &format!("<p>{} wrote:</p><blockquote>{}</blockquote>", escape(name), escape(message)))
}

/// Everything else.
pub fn missing() -> String {
    page("Not found", "<p>There is no such page.</p>")
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <style>body{{font:1.1rem/1.6 system-ui;max-width:38rem;margin:3rem auto;padding:0 1rem}}nav a{{margin-right:1rem}}</style>\
         <nav><a href=\"/\">Home</a><a href=\"/about\">About</a><a href=\"/search\">Search</a><a href=\"/contact\">Contact</a></nav>\
         <h1>{title}</h1>{body}</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_visitor_sent_is_shown_as_text() {
        let shown = contacted("<b>\"'&", "<script>");
        assert!(shown.contains("&lt;b&gt;&quot;&#39;&amp; wrote") && !shown.contains("<script>"), "{shown}");
        assert!(search("<script>").contains("&lt;script&gt;"));
    }
}
