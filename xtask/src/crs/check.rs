//! What was seen of a request, held against what was expected.

use super::case::Expected;

/// What came of one request.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The status of the answer; none: no answer came.
    pub status: Option<u16>,
    /// A line for each rule that was logged: `[id "942100"] [msg "…"] [data "…"]`.
    pub log: Vec<String>,
    /// The rules that were logged, in order.
    pub ids: Vec<String>,
    /// Why HTTP itself refused the request before any rule, where it did.
    pub refusal: Option<String>,
}

impl Seen {
    /// Adds a rule that was logged, control characters written as ModSecurity writes them.
    pub fn add(&mut self, id: &str, message: &str, data: &str, variable: &str) {
        self.ids.push(id.to_owned());
        let line = format!("[id \"{id}\"] [msg \"{message}\"] [data \"{data}\"] [on \"{variable}\"]");
        let escape =
            |c: char| if c.is_control() { format!("\\x{:02x}", u32::from(c)) } else { c.to_string() };
        self.log.push(line.chars().map(escape).collect());
    }

    /// In a line: what a person compares with what was expected.
    pub fn in_words(&self) -> String {
        let status = self.status.map_or("no answer".to_owned(), |status| status.to_string());
        let logged = if self.ids.is_empty() { "none".into() } else { self.ids.join(" ") };
        match &self.refusal {
            Some(why) => format!("{status}, refused: {why}; logged: {logged}"),
            None => format!("{status}, logged: {logged}"),
        }
    }
}

/// What is not as expected, a sentence each; none: all is.
pub fn check(expected: &Expected, seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    // A runner that waits for its answer calls it an error; a proxy that says why it refuses is as good.
    let is_good = seen.status.is_some_and(|status| status < 400);
    if expected.error {
        if is_good {
            wrong.push("expected no good answer".to_owned());
        }
        return wrong;
    }
    match seen.status {
        None => wrong.push("expected an answer".to_owned()),
        Some(status) if !expected.statuses.is_empty() && !expected.statuses.contains(&status) => {
            wrong.push(format!("expected status {:?}", expected.statuses));
        }
        Some(_) => {}
    }
    let logged = |id: &&u32| seen.ids.contains(&id.to_string());
    wrong.extend(expected.ids.iter().filter(|id| !logged(id)).map(|id| format!("expected {id}")));
    wrong.extend(expected.absent_ids.iter().filter(logged).map(|id| format!("expected no {id}")));
    let any = |test: &dyn Fn(&str) -> bool| seen.log.iter().any(|line| test(line));
    if let Some(text) = &expected.text
        && !any(&|line| line.contains(text.as_str()))
    {
        wrong.push(format!("expected {text} in the log"));
    }
    if let Some(text) = &expected.absent_text
        && any(&|line| line.contains(text.as_str()))
    {
        wrong.push(format!("expected no {text} in the log"));
    }
    if let Some(pattern) = &expected.pattern
        && !any(&|line| pattern.is_match(line))
    {
        wrong.push(format!("expected a line of the log to match {pattern}"));
    }
    if let Some(pattern) = &expected.absent_pattern
        && any(&|line| pattern.is_match(line))
    {
        wrong.push(format!("expected no line of the log to match {pattern}"));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ids: &[u32]) -> Seen {
        let mut seen = Seen { status: Some(200), ..Seen::default() };
        ids.iter().for_each(|id| seen.add(&id.to_string(), "m", "d", "ARGS:a"));
        seen
    }

    #[test]
    fn what_is_not_as_expected_is_said() {
        let expected = Expected {
            ids: vec![1, 2],
            absent_ids: vec![3],
            text: Some("id \"2\"".into()),
            statuses: vec![400],
            ..Expected::default()
        };
        assert_eq!(check(&expected, &seen(&[1, 3])).len(), 4);
        assert!(check(&Expected { statuses: vec![200], ..expected }, &seen(&[1, 2])).is_empty());
    }

    #[test]
    fn an_expected_error_is_a_refusal_or_silence() {
        let expected = Expected { error: true, ..Expected::default() };
        assert!(check(&expected, &Seen::default()).is_empty());
        assert!(check(&expected, &Seen { status: Some(400), ..Seen::default() }).is_empty());
        assert!(!check(&expected, &seen(&[])).is_empty());
    }
}
