//! Request body processors: how a body becomes values.

/// A request body processor, as `REQBODY_PROCESSOR` and `ctl:requestBodyProcessor` name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processor {
    /// Arguments between `&`.
    Urlencoded,
    /// `multipart/form-data`.
    Multipart,
    /// JSON, flattened to arguments.
    Json,
    /// XML: its text and its attributes.
    Xml,
}

impl Processor {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Processor::Urlencoded => "URLENCODED",
            Processor::Multipart => "MULTIPART",
            Processor::Json => "JSON",
            Processor::Xml => "XML",
        }
    }

    /// The processor of this name, in any case.
    pub fn of_name(name: &str) -> Option<Processor> {
        let all = [Processor::Urlencoded, Processor::Multipart, Processor::Json, Processor::Xml];
        all.into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }

    /// What a content type asks for by itself; JSON and XML are for rules to choose (ModSecurity's 200000 and 200001).
    pub fn of_content_type(content_type: &[u8]) -> Option<Processor> {
        let begins = |prefix: &[u8]| {
            content_type.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if begins(b"multipart/form-data") {
            Some(Processor::Multipart)
        } else if begins(b"application/x-www-form-urlencoded") {
            Some(Processor::Urlencoded)
        } else {
            None
        }
    }
}
