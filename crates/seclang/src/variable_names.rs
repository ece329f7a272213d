//! Names of the variables, those that are missing here among them.

use crate::Variable;
use crate::suggest::nearest;

const COLLECTION: bool = true;
const SCALAR: bool = false;

/// Name, variable, and whether it is a collection; in the order of the enum.
const NAMES: &[(&str, Variable, bool)] = &[
    ("ARGS", Variable::Args, COLLECTION),
    ("ARGS_GET", Variable::ArgsGet, COLLECTION),
    ("ARGS_POST", Variable::ArgsPost, COLLECTION),
    ("ARGS_NAMES", Variable::ArgsNames, COLLECTION),
    ("ARGS_GET_NAMES", Variable::ArgsGetNames, COLLECTION),
    ("ARGS_POST_NAMES", Variable::ArgsPostNames, COLLECTION),
    ("REQUEST_COOKIES", Variable::RequestCookies, COLLECTION),
    ("REQUEST_COOKIES_NAMES", Variable::RequestCookiesNames, COLLECTION),
    ("REQUEST_HEADERS", Variable::RequestHeaders, COLLECTION),
    ("REQUEST_HEADERS_NAMES", Variable::RequestHeadersNames, COLLECTION),
    ("RESPONSE_HEADERS", Variable::ResponseHeaders, COLLECTION),
    ("RESPONSE_HEADERS_NAMES", Variable::ResponseHeadersNames, COLLECTION),
    ("FILES", Variable::Files, COLLECTION),
    ("FILES_NAMES", Variable::FilesNames, COLLECTION),
    ("FILES_SIZES", Variable::FilesSizes, COLLECTION),
    ("FILES_TMPNAMES", Variable::FilesTmpNames, COLLECTION),
    ("FILES_TMP_CONTENT", Variable::FilesTmpContent, COLLECTION),
    ("MULTIPART_PART_HEADERS", Variable::MultipartPartHeaders, COLLECTION),
    ("MULTIPART_FILENAME", Variable::MultipartFilename, COLLECTION),
    ("MULTIPART_NAME", Variable::MultipartName, COLLECTION),
    ("MATCHED_VARS", Variable::MatchedVars, COLLECTION),
    ("MATCHED_VARS_NAMES", Variable::MatchedVarsNames, COLLECTION),
    ("TX", Variable::Tx, COLLECTION),
    ("IP", Variable::Ip, COLLECTION),
    ("GLOBAL", Variable::Global, COLLECTION),
    ("RESOURCE", Variable::Resource, COLLECTION),
    ("SESSION", Variable::Session, COLLECTION),
    ("USER", Variable::User, COLLECTION),
    ("GEO", Variable::Geo, COLLECTION),
    ("RULE", Variable::Rule, COLLECTION),
    ("ENV", Variable::Env, COLLECTION),
    ("XML", Variable::Xml, COLLECTION),
    ("ARGS_COMBINED_SIZE", Variable::ArgsCombinedSize, SCALAR),
    ("AUTH_TYPE", Variable::AuthType, SCALAR),
    ("DURATION", Variable::Duration, SCALAR),
    ("FILES_COMBINED_SIZE", Variable::FilesCombinedSize, SCALAR),
    ("FULL_REQUEST", Variable::FullRequest, SCALAR),
    ("FULL_REQUEST_LENGTH", Variable::FullRequestLength, SCALAR),
    ("HIGHEST_SEVERITY", Variable::HighestSeverity, SCALAR),
    ("INBOUND_DATA_ERROR", Variable::InboundDataError, SCALAR),
    ("MATCHED_VAR", Variable::MatchedVar, SCALAR),
    ("MATCHED_VAR_NAME", Variable::MatchedVarName, SCALAR),
    ("MODSEC_BUILD", Variable::ModsecBuild, SCALAR),
    ("MULTIPART_BOUNDARY_QUOTED", Variable::MultipartBoundaryQuoted, SCALAR),
    ("MULTIPART_BOUNDARY_WHITESPACE", Variable::MultipartBoundaryWhitespace, SCALAR),
    ("MULTIPART_CRLF_LF_LINES", Variable::MultipartCrlfLfLines, SCALAR),
    ("MULTIPART_DATA_AFTER", Variable::MultipartDataAfter, SCALAR),
    ("MULTIPART_DATA_BEFORE", Variable::MultipartDataBefore, SCALAR),
    ("MULTIPART_FILE_LIMIT_EXCEEDED", Variable::MultipartFileLimitExceeded, SCALAR),
    ("MULTIPART_HEADER_FOLDING", Variable::MultipartHeaderFolding, SCALAR),
    ("MULTIPART_INVALID_HEADER_FOLDING", Variable::MultipartInvalidHeaderFolding, SCALAR),
    ("MULTIPART_INVALID_PART", Variable::MultipartInvalidPart, SCALAR),
    ("MULTIPART_INVALID_QUOTING", Variable::MultipartInvalidQuoting, SCALAR),
    ("MULTIPART_LF_LINE", Variable::MultipartLfLine, SCALAR),
    ("MULTIPART_MISSING_SEMICOLON", Variable::MultipartMissingSemicolon, SCALAR),
    ("MULTIPART_SEMICOLON_MISSING", Variable::MultipartSemicolonMissing, SCALAR),
    ("MULTIPART_STRICT_ERROR", Variable::MultipartStrictError, SCALAR),
    ("MULTIPART_UNMATCHED_BOUNDARY", Variable::MultipartUnmatchedBoundary, SCALAR),
    ("OUTBOUND_DATA_ERROR", Variable::OutboundDataError, SCALAR),
    ("PATH_INFO", Variable::PathInfo, SCALAR),
    ("QUERY_STRING", Variable::QueryString, SCALAR),
    ("REMOTE_ADDR", Variable::RemoteAddr, SCALAR),
    ("REMOTE_HOST", Variable::RemoteHost, SCALAR),
    ("REMOTE_PORT", Variable::RemotePort, SCALAR),
    ("REMOTE_USER", Variable::RemoteUser, SCALAR),
    ("REQBODY_ERROR", Variable::ReqbodyError, SCALAR),
    ("REQBODY_ERROR_MSG", Variable::ReqbodyErrorMsg, SCALAR),
    ("REQBODY_PROCESSOR", Variable::ReqbodyProcessor, SCALAR),
    ("REQBODY_PROCESSOR_ERROR", Variable::ReqbodyProcessorError, SCALAR),
    ("REQBODY_PROCESSOR_ERROR_MSG", Variable::ReqbodyProcessorErrorMsg, SCALAR),
    ("REQUEST_BASENAME", Variable::RequestBasename, SCALAR),
    ("REQUEST_BODY", Variable::RequestBody, SCALAR),
    ("REQUEST_BODY_LENGTH", Variable::RequestBodyLength, SCALAR),
    ("REQUEST_FILENAME", Variable::RequestFilename, SCALAR),
    ("REQUEST_LINE", Variable::RequestLine, SCALAR),
    ("REQUEST_METHOD", Variable::RequestMethod, SCALAR),
    ("REQUEST_PROTOCOL", Variable::RequestProtocol, SCALAR),
    ("REQUEST_URI", Variable::RequestUri, SCALAR),
    ("REQUEST_URI_RAW", Variable::RequestUriRaw, SCALAR),
    ("RESPONSE_BODY", Variable::ResponseBody, SCALAR),
    ("RESPONSE_CONTENT_LENGTH", Variable::ResponseContentLength, SCALAR),
    ("RESPONSE_CONTENT_TYPE", Variable::ResponseContentType, SCALAR),
    ("RESPONSE_PROTOCOL", Variable::ResponseProtocol, SCALAR),
    ("RESPONSE_STATUS", Variable::ResponseStatus, SCALAR),
    ("SERVER_ADDR", Variable::ServerAddr, SCALAR),
    ("SERVER_NAME", Variable::ServerName, SCALAR),
    ("SERVER_PORT", Variable::ServerPort, SCALAR),
    ("SESSIONID", Variable::SessionId, SCALAR),
    ("STATUS_LINE", Variable::StatusLine, SCALAR),
    ("TIME", Variable::Time, SCALAR),
    ("TIME_DAY", Variable::TimeDay, SCALAR),
    ("TIME_EPOCH", Variable::TimeEpoch, SCALAR),
    ("TIME_HOUR", Variable::TimeHour, SCALAR),
    ("TIME_MIN", Variable::TimeMin, SCALAR),
    ("TIME_MON", Variable::TimeMon, SCALAR),
    ("TIME_SEC", Variable::TimeSec, SCALAR),
    ("TIME_WDAY", Variable::TimeWday, SCALAR),
    ("TIME_YEAR", Variable::TimeYear, SCALAR),
    ("UNIQUE_ID", Variable::UniqueId, SCALAR),
    ("URLENCODED_ERROR", Variable::UrlencodedError, SCALAR),
    ("USERID", Variable::UserId, SCALAR),
    ("WEBAPPID", Variable::WebappId, SCALAR),
];

/// Variables of ModSecurity that are not here, and why.
const ABSENT: &[(&str, &str)] = &[
    ("MSC_PCRE_ERROR", "expressions cannot fail here"),
    (
        "MSC_PCRE_LIMITS_EXCEEDED",
        "expressions run in linear time here; a request's budget of work is `on_budget`",
    ),
    ("STREAM_INPUT_BODY", "bodies are not rewritten; look at REQUEST_BODY"),
    ("STREAM_OUTPUT_BODY", "bodies are not rewritten; look at RESPONSE_BODY"),
    ("WEBSERVER_ERROR_LOG", "there is no web server behind it whose log could be read"),
    ("STATUS", "use RESPONSE_STATUS"),
    ("USERAGENT_IP", "use REMOTE_ADDR, which is the client behind trusted proxies"),
    ("SDBM_DELETE_ERROR", "there is no such data base"),
    ("SCRIPT_BASENAME", "no scripts are run here"),
    ("SCRIPT_FILENAME", "no scripts are run here"),
    ("SCRIPT_GID", "no scripts are run here"),
    ("SCRIPT_GROUPNAME", "no scripts are run here"),
    ("SCRIPT_MODE", "no scripts are run here"),
    ("SCRIPT_UID", "no scripts are run here"),
    ("SCRIPT_USERNAME", "no scripts are run here"),
    ("PERF_ALL", "times are metrics here"),
    ("PERF_COMBINED", "times are metrics here"),
    ("PERF_GC", "times are metrics here"),
    ("PERF_LOGGING", "times are metrics here"),
    ("PERF_PHASE1", "times are metrics here"),
    ("PERF_PHASE2", "times are metrics here"),
    ("PERF_PHASE3", "times are metrics here"),
    ("PERF_PHASE4", "times are metrics here"),
    ("PERF_PHASE5", "times are metrics here"),
    ("PERF_RULES", "times are metrics here"),
    ("PERF_SREAD", "times are metrics here"),
    ("PERF_SWRITE", "times are metrics here"),
];

impl Variable {
    /// The variable of this name, letters in either case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Variable> {
        NAMES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)).map(|(_, variable, _)| *variable)
    }

    /// Its name, as the manual writes it: `REQUEST_HEADERS`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(self as usize).map_or("", |(name, ..)| name)
    }

    /// Whether it holds names with values, so that a selector may stand behind it.
    #[must_use]
    pub fn is_collection(self) -> bool {
        NAMES.get(self as usize).is_some_and(|(.., collection)| *collection)
    }

    /// Whether it outlives the request once `initcol` has opened it.
    #[must_use]
    pub fn is_persistent(self) -> bool {
        use Variable::{Global, Ip, Resource, Session, User};
        matches!(self, Global | Ip | Resource | Session | User)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Variable> {
        NAMES.iter().map(|(_, variable, _)| *variable)
    }

    /// [`Variable::from_name`], or what to tell who wrote it.
    pub(crate) fn known(name: &str) -> Result<Variable, String> {
        if let Some(variable) = Variable::from_name(name) {
            return Ok(variable);
        }
        if let Some((name, reason)) = ABSENT.iter().find(|(absent, _)| absent.eq_ignore_ascii_case(name)) {
            return Err(format!("variable {name} is not supported: {reason}"));
        }
        let hint = nearest(name, NAMES.iter().map(|(known, ..)| *known));
        Err(format!("unknown variable {}{hint}", crate::suggest::quoted(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_enum() {
        for (place, (name, variable, _)) in NAMES.iter().enumerate() {
            assert_eq!(*variable as usize, place, "{name}");
            assert_eq!(variable.name(), *name);
            assert_eq!(Variable::from_name(&name.to_ascii_lowercase()), Some(*variable));
        }
        assert_eq!(Variable::WebappId as usize + 1, NAMES.len(), "a variable has no name");
    }

    #[test]
    fn a_slip_of_the_pen_is_answered_with_what_was_meant() {
        let error = Variable::known("REQUEST_HEADER").unwrap_err();
        assert!(error.contains("did you mean REQUEST_HEADERS?"), "{error}");
        assert!(Variable::known("script_uid").unwrap_err().contains("no scripts are run"));
    }
}
