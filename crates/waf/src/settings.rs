//! What the firewall is told besides its rules.

/// How a [`RuleSet`](crate::RuleSet) judges, and how much of a body it takes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether rules of severity low and medium may block; where false they only log.
    pub block_suspicious: bool,
    /// Whether nothing blocks and everything is logged.
    pub monitor: bool,
    /// The deepest nesting of a JSON body, in arrays and objects; of an XML body, in elements.
    pub json_depth_max: usize,
    /// The most keys and values of a JSON body; of an XML body, names and values.
    pub json_values_max: usize,
    /// The most arguments of a query or of a urlencoded body.
    pub args_max: usize,
    /// The most parts of a multipart body.
    pub parts_max: usize,
    /// The work that rules in SecLang may spend on one request: about one unit a byte that is looked at.
    pub work_budget: u64,
    /// Whether a request on which that is used up is stopped; where false it goes on, looked at no further.
    pub block_on_budget: bool,
}

impl Default for Settings {
    /// Blocks suspicion too; 64 levels, 20,000 JSON values, 1,000 arguments (PHP's `max_input_vars`), 200 parts; a
    /// hundred million units of work, and no more than that.
    fn default() -> Self {
        Settings {
            block_suspicious: true,
            monitor: false,
            json_depth_max: 64,
            json_values_max: 20_000,
            args_max: 1000,
            parts_max: 200,
            work_budget: 100_000_000,
            block_on_budget: true,
        }
    }
}
