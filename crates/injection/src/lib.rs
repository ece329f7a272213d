//! Detection of SQL injection and cross-site scripting by tokens.
