//! Names of values, as matches and exceptions write them.

use crate::request::Variable as Native;
use secbeat_seclang::Variable;

/// What a value is called: first as SecLang has it (`ARGS:id`), then each way in which exceptions may name it that know
/// nothing of SecLang (`query:id`, `body:id`).
pub fn names(variable: Variable, name: &[u8]) -> Vec<String> {
    let spelled = variable.name();
    let mut names = Vec::with_capacity(3);
    names.push(if name.is_empty() {
        spelled.to_owned()
    } else {
        format!("{spelled}:{}", String::from_utf8_lossy(name))
    });
    let body = || Native::Body(name.strip_prefix(b"json.").unwrap_or(name));
    let mut native = |native: Native<'_>| names.push(native.to_string());
    match variable {
        Variable::Args | Variable::ArgsNames => {
            native(Native::Query(name));
            native(body());
        }
        Variable::ArgsGet | Variable::ArgsGetNames => native(Native::Query(name)),
        Variable::ArgsPost | Variable::ArgsPostNames => native(body()),
        Variable::RequestCookies | Variable::RequestCookiesNames => native(Native::Cookie(name)),
        Variable::RequestHeaders | Variable::RequestHeadersNames => native(Native::Header(name)),
        Variable::RequestFilename
        | Variable::RequestBasename
        | Variable::RequestUri
        | Variable::RequestUriRaw
        | Variable::PathInfo => native(Native::Path),
        Variable::RequestBody
        | Variable::Xml
        | Variable::Files
        | Variable::FilesNames
        | Variable::MultipartPartHeaders => {
            native(Native::Body(if variable == Variable::Xml { b"" } else { name }));
        }
        _ => {}
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_names_of_both_languages() {
        assert_eq!(names(Variable::Args, b"json.id"), ["ARGS:json.id", "query:json.id", "body:id"]);
        assert_eq!(
            names(Variable::RequestHeaders, b"User-Agent"),
            ["REQUEST_HEADERS:User-Agent", "header:user-agent"]
        );
        assert_eq!(names(Variable::RequestFilename, b""), ["REQUEST_FILENAME", "path"]);
        assert_eq!(names(Variable::Tx, b"score"), ["TX:score"]);
    }
}
