use crate::section::section;

/// Fields that carry credentials: RFC 9110 and RFC 6265, and those in wide use.
const MASKED_HEADERS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
];

/// Parameters that carry credentials or what is like them, as forms and OAuth (RFC 6749) name them.
const MASKED_PARAMETERS: [&str; 19] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "api_key",
    "apikey",
    "session",
    "sid",
    "code",
    "otp",
    "pin",
    "card",
    "cvv",
    "iban",
    "ssn",
];

section! {
    /// Whole requests, kept in `server.data_dir` to look into later: those that were stopped, and a sample of the rest.
    /// What is masked never reaches the disk.
    Recorder = "recorder" {
        /// Whether requests are kept.
        enable: bool = true;
        /// Of the requests let through, every how many-th is kept; 0: none.
        sample_every: u64 = 1000 => unit("requests"), range(0.0, 1_000_000_000.0);
        /// The disk it may take; beyond, the oldest go first.
        bytes_max: u64 = 67_108_864 => unit("bytes"), range(1_048_576.0, 1_099_511_627_776.0);
        /// Whether bodies are kept too.
        bodies: bool = false;
        /// How much of a body is kept.
        body_bytes_max: usize = 4096 => unit("bytes"), range(0.0, 1_048_576.0);
        /// Header fields whose values are masked, in any case of letters; also those that have such a name, or one of
        /// `mask_parameters`, among their words.
        mask_headers: Vec<String> = MASKED_HEADERS.map(String::from).into();
        /// Parameters whose values are masked, in queries, forms and JSON, in any case of letters; also those that have such a name
        /// among their words (`new_password`). `code`, `pin`, `sid`, `card` and names of one or two letters count as a whole alone.
        mask_parameters: Vec<String> = MASKED_PARAMETERS.map(String::from).into();
    }
}
