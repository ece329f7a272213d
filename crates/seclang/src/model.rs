//! What the text comes to: rules in the order in which they run, everything that can be settled before a request settled.

use crate::{EngineMode, Variable, directives::Directives};
use secbeat_transform::Transformation;
use std::net::IpAddr;
use std::sync::Arc;

/// A whole configuration, read, included, with defaults applied and with `SecRuleRemove*` and `SecRuleUpdate*` carried out.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    /// The files that were read, in the order in which they were met; a [`Span`] points here.
    pub files: Vec<Arc<str>>,
    /// Rules and markers, in file order.
    pub items: Vec<Item>,
    /// What the directives that are no rules say.
    pub directives: Directives,
    /// What was accepted and does nothing here, with its place, for the operator: `SecGuardianLog has no effect …`.
    pub notes: Vec<(Span, String)>,
}

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// The file, by its number in [`RuleSet::files`].
    pub file: u16,
    /// The line on which the directive begins, from 1.
    pub line: u32,
}

/// One thing that is run, or run to.
#[derive(Debug, Clone)]
pub enum Item {
    /// `SecRule` with its whole chain, or `SecAction`.
    Rule(Box<Rule>),
    /// `SecMarker`: where `skipAfter` ends.
    Marker(Arc<str>),
}

/// `SecRule`, or `SecAction` (no condition), with the rest of its chain.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Where it stands.
    pub span: Span,
    /// Its metadata and what it does; of a chain, that of its head.
    pub actions: Actions,
    /// The links: one, or the whole chain. The head's own steps are in its link.
    pub links: Vec<Link>,
}

/// One `SecRule` of a chain.
#[derive(Debug, Clone)]
pub struct Link {
    /// Where it stands.
    pub span: Span,
    /// What it looks at and how; `None`: `SecAction`, which always holds.
    pub test: Option<Test>,
    /// `capture`.
    pub capture: bool,
    /// `multiMatch`.
    pub multi_match: bool,
    /// What it does at each match, in order: those of this link.
    pub steps: Vec<Step>,
    /// `msg` of this link (a later link may have its own).
    pub msg: Option<Text>,
    /// `logdata` of this link.
    pub logdata: Option<Text>,
}

/// What a link looks at and how.
#[derive(Debug, Clone)]
pub struct Test {
    /// What it looks at, in order, exclusions among them.
    pub targets: Vec<Target>,
    /// What is done to each value first: `t:none` and the defaults settled.
    pub transformations: Vec<Transformation>,
    /// Whether `!` stands before the operator.
    pub negated: bool,
    /// The operator.
    pub operator: Operator,
}

/// One target: `ARGS`, `&ARGS:a`, `!ARGS:/re/`, `XML:/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What is looked at.
    pub variable: Variable,
    /// Which part of it.
    pub selector: Selector,
    /// Whether it is the number of values (`&`).
    pub count: bool,
    /// Whether it is left out (`!`).
    pub excluded: bool,
}

/// Which part of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// All of it.
    All,
    /// What has this name, letters in either case.
    Name(Arc<str>),
    /// What has a name that this expression finds (PCRE, letters in either case).
    Pattern(Arc<str>),
}

/// Text with macros: `%{tx.0}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<Segment>);

/// A part of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Itself.
    Literal(Arc<str>),
    /// `%{variable.name}` or `%{variable}`.
    Macro(Variable, Option<Arc<str>>),
}

/// An operator with its argument. What is text may hold macros.
#[derive(Debug, Clone)]
pub enum Operator {
    /// `@rx`; macros make it be compiled when it runs.
    Rx(Text),
    /// `@rxGlobal`.
    RxGlobal(Text),
    /// `@pm` and `@pmFromFile`: the phrases, read; letters in either case.
    Pm(Arc<[Arc<[u8]>]>),
    /// `@beginsWith`.
    BeginsWith(Text),
    /// `@contains`.
    Contains(Text),
    /// `@containsWord`.
    ContainsWord(Text),
    /// `@endsWith`.
    EndsWith(Text),
    /// `@streq`.
    StrEq(Text),
    /// `@strmatch`: a plain search.
    StrMatch(Text),
    /// `@within`.
    Within(Text),
    /// `@eq`, `@ge`, `@gt`, `@le`, `@lt`.
    Compare(Comparison, Text),
    /// `@ipMatch`, `@ipMatchFromFile`: networks (address, prefix length), read.
    IpMatch(Arc<[(IpAddr, u8)]>),
    /// `@validateByteRange`: the bytes that may be, a bit each.
    ValidateByteRange(Box<[u64; 4]>),
    /// `@validateUrlEncoding`.
    ValidateUrlEncoding,
    /// `@validateUtf8Encoding`.
    ValidateUtf8Encoding,
    /// `@verifyCC`: an expression whose hits must have a valid Luhn checksum.
    VerifyCreditCard(Arc<str>),
    /// `@verifySSN`.
    VerifySsn(Arc<str>),
    /// `@verifyCPF`.
    VerifyCpf(Arc<str>),
    /// `@detectSQLi`.
    DetectSqli,
    /// `@detectXSS`.
    DetectXss,
    /// `@geoLookup`: there is no geography here yet; never holds, and a note says so.
    GeoLookup,
    /// `@rbl`: a request does not wait for a name server; never holds, and a note says so.
    Rbl(Arc<str>),
    /// `@unconditionalMatch`.
    UnconditionalMatch,
    /// `@noMatch`.
    NoMatch,
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `@eq`.
    Eq,
    /// `@ge`.
    Ge,
    /// `@gt`.
    Gt,
    /// `@le`.
    Le,
    /// `@lt`.
    Lt,
}

/// When a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// 1.
    RequestHeaders = 1,
    /// 2.
    RequestBody = 2,
    /// 3.
    ResponseHeaders = 3,
    /// 4.
    ResponseBody = 4,
    /// 5.
    Logging = 5,
}

/// What a rule is and what it does when all of its chain holds.
#[derive(Debug, Clone)]
pub struct Actions {
    /// `id`.
    pub id: u64,
    /// `phase`.
    pub phase: Phase,
    /// `msg`.
    pub msg: Option<Text>,
    /// `logdata`.
    pub logdata: Option<Text>,
    /// `tag`, in order.
    pub tags: Vec<Text>,
    /// `severity`: 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// `ver`.
    pub ver: Option<Arc<str>>,
    /// `rev`.
    pub rev: Option<Arc<str>>,
    /// `maturity`.
    pub maturity: Option<u8>,
    /// `accuracy`.
    pub accuracy: Option<u8>,
    /// What becomes of the request; `block` is settled to what `SecDefaultAction` says.
    pub disruptive: Disruptive,
    /// `status`, or that of the defaults: 403 if neither says.
    pub status: u16,
    /// Whether a match is told (`log`, `nolog`, defaults).
    pub log: bool,
    /// Whether a match is audited (`auditlog`, `noauditlog`, defaults).
    pub audit_log: bool,
    /// `skip`: how many of the rules after it are passed over.
    pub skip: u32,
    /// `skipAfter`: the marker to go on behind.
    pub skip_after: Option<Arc<str>>,
}

/// What becomes of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disruptive {
    /// `pass`: it goes on.
    Pass,
    /// `deny`: it is answered with the status.
    Deny,
    /// `drop`: the connection is closed.
    Drop,
    /// `allow`: no further rules, but for phase 5; `allow:phase`, `allow:request`.
    Allow(AllowScope),
    /// `redirect`.
    Redirect(Text),
}

/// How far `allow` reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowScope {
    /// All phases but logging.
    All,
    /// This phase.
    Phase,
    /// The request phases.
    Request,
}

/// One thing a match does that stops nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// `setvar`.
    SetVar {
        /// The collection: TX, IP, GLOBAL, RESOURCE, SESSION, USER.
        collection: Variable,
        /// The name, which may hold macros.
        name: Text,
        /// What is done to it.
        change: Change,
    },
    /// `expirevar:ip.x=60`.
    ExpireVar {
        /// The collection.
        collection: Variable,
        /// The name.
        name: Text,
        /// Seconds from now.
        seconds: Text,
    },
    /// `initcol:ip=%{remote_addr}`: opens the persistent collection under this key.
    InitCol(Variable, Text),
    /// `setuid`.
    SetUid(Text),
    /// `setsid`.
    SetSid(Text),
    /// `setrsc`.
    SetRsc(Text),
    /// `setenv:name=value`.
    SetEnv(Text, Text),
    /// `ctl:…`.
    Ctl(Ctl),
    /// `sanitiseArg`, `sanitiseMatched`, `sanitiseRequestHeader`, …: what the audit log must not show.
    Sanitise(Variable, Option<Arc<str>>),
}

/// What `setvar` does.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// `=value`, or `=1` where nothing is said.
    Set(Text),
    /// `=+value`.
    Add(Text),
    /// `=-value`.
    Subtract(Text),
    /// `!name`.
    Unset,
}

/// What `ctl` changes for the rest of the transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Ctl {
    /// `auditEngine`.
    AuditEngine(EngineMode),
    /// `auditLogParts`, as written (`+E`).
    AuditLogParts(Arc<str>),
    /// `forceRequestBodyVariable`.
    ForceRequestBodyVariable(bool),
    /// `requestBodyAccess`.
    RequestBodyAccess(bool),
    /// `requestBodyLimit`, bytes.
    RequestBodyLimit(u64),
    /// `requestBodyProcessor`: `URLENCODED`, `MULTIPART`, `XML`, `JSON`.
    RequestBodyProcessor(Arc<str>),
    /// `responseBodyAccess`.
    ResponseBodyAccess(bool),
    /// `responseBodyLimit`, bytes.
    ResponseBodyLimit(u64),
    /// `ruleEngine`.
    RuleEngine(EngineMode),
    /// `ruleRemoveById`: ids from–to.
    RuleRemoveById(u64, u64),
    /// `ruleRemoveByTag`: an expression.
    RuleRemoveByTag(Arc<str>),
    /// `ruleRemoveByMsg`: an expression.
    RuleRemoveByMsg(Arc<str>),
    /// `ruleRemoveTargetById`.
    RuleRemoveTargetById(u64, u64, Target),
    /// `ruleRemoveTargetByTag`.
    RuleRemoveTargetByTag(Arc<str>, Target),
    /// `ruleRemoveTargetByMsg`.
    RuleRemoveTargetByMsg(Arc<str>, Target),
}
