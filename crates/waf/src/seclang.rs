//! SecLang rules over HTTP: from a request to the engine's variables, from the engine's matches to a verdict.
//!
//! | step | module |
//! | --- | --- |
//! | where values go | [`variables`] |
//! | request line, query, header fields, cookies | [`head`], [`arguments`] |
//! | bodies, by their processor | [`processor`]: [`arguments`], [`content`] (JSON, XML), [`multipart`] with [`boundary`], [`part`], [`disposition`] |
//! | the program, and what is said of its rules | [`attached`] |
//! | a request in the engine, whose memory is lent, phase by phase | [`run`], [`pool`], [`phases`] |
//! | what exceptions say at each match | [`admission`], by [`names`] |
//! | what is told | [`telling`] |

pub(crate) mod admission;
pub(crate) mod arguments;
pub(crate) mod attached;
pub(crate) mod boundary;
pub(crate) mod content;
pub(crate) mod disposition;
pub(crate) mod head;
pub(crate) mod multipart;
pub(crate) mod names;
pub(crate) mod part;
pub(crate) mod phases;
pub(crate) mod pool;
pub(crate) mod processor;
pub(crate) mod run;
pub(crate) mod telling;
pub(crate) mod variables;
