//! Which values a variable of a rule stands for: the variable to which they were added, values or their names.

use secbeat_seclang::Variable::{self, *};

/// Values of one kind, as they lie in a transaction: of a variable, or the names of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    /// The variable to which they were added.
    pub variable: Variable,
    /// Whether their names are looked at.
    pub names: bool,
}

const fn values(variable: Variable) -> Source {
    Source { variable, names: false }
}

const fn names(variable: Variable) -> Source {
    Source { variable, names: true }
}

/// The sources of a variable, in order. `None`: its values follow from others, from rules or from the clock; they are not
/// scanned.
pub fn sources(variable: Variable) -> Option<&'static [Source]> {
    macro_rules! table {
        ($($variable:ident => $list:expr),* $(,)?) => {
            match variable { $($variable => { const LIST: &[Source] = &$list; Some(LIST) })* _ => None }
        };
    }
    table! {
        Args => [values(ArgsGet), values(ArgsPost)],
        ArgsGet => [values(ArgsGet)],
        ArgsPost => [values(ArgsPost)],
        ArgsNames => [names(ArgsGet), names(ArgsPost)],
        ArgsGetNames => [names(ArgsGet)],
        ArgsPostNames => [names(ArgsPost)],
        RequestCookies => [values(RequestCookies)],
        RequestCookiesNames => [names(RequestCookies)],
        RequestHeaders => [values(RequestHeaders)],
        RequestHeadersNames => [names(RequestHeaders)],
        ResponseHeaders => [values(ResponseHeaders)],
        ResponseHeadersNames => [names(ResponseHeaders)],
        Files => [values(Files)],
        FilesNames => [values(FilesNames)],
        MultipartPartHeaders => [values(MultipartPartHeaders)],
        MultipartFilename => [values(MultipartFilename)],
        MultipartName => [values(MultipartName)],
        Xml => [values(Xml)],
        QueryString => [values(QueryString)],
        RequestBasename => [values(RequestBasename)],
        RequestBody => [values(RequestBody)],
        RequestFilename => [values(RequestFilename)],
        RequestLine => [values(RequestLine)],
        RequestMethod => [values(RequestMethod)],
        RequestProtocol => [values(RequestProtocol)],
        RequestUri => [values(RequestUri)],
        RequestUriRaw => [values(RequestUriRaw)],
        ResponseBody => [values(ResponseBody)],
        ResponseStatus => [values(ResponseStatus)],
    }
}
