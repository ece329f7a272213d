//! SecLang rules compiled to one program, run over a transaction.
