//! What a policy is made of, read and compiled: rules, sites, pages, certificate. Away from traffic; what cannot be, changes
//! nothing.

use crate::kept::Kept;
use crate::rule_texts::{self, SecLang};
use crate::rules::{self, Overlay};
use rustls::ServerConfig;
use secbeat_edge::tls::{self, Sessions};
use secbeat_l7::pages::{Format, Pages};
use secbeat_l7::site::{Site, Sites};
use secbeat_settings::Settings;
use secbeat_waf::{ExceptionSet, Rule, RuleError, RuleSet};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The parts of a policy that are compiled or loaded.
pub struct Prepared {
    /// The rules of `waf.rules_path`, and of each site that has its own.
    files: RuleFiles,
    /// The rules in SecLang, which are the same for all sites.
    pub seclang: SecLang,
    /// The rules in force where a site has none of its own, compiled.
    pub rules: Arc<RuleSet>,
    /// The rules of each site that has a file of its own.
    pub site_rules: SiteRules,
    /// What the requests for each host are held against.
    pub sites: Arc<Sites>,
    /// What rules let pass all the same.
    pub exceptions: Arc<ExceptionSet>,
    /// The listener's TLS.
    pub tls: Option<Arc<ServerConfig>>,
    /// The bytes of its certificate file.
    pub certificate: Vec<u8>,
}

/// The names of sites with their rules, compiled. Sites that share a file share these.
pub type SiteRules = Arc<Vec<(String, Arc<RuleSet>)>>;

/// Rules by the file that they are from; `None`: those that are built in.
type RuleFiles = HashMap<Option<PathBuf>, Vec<Rule>>;

impl Prepared {
    /// Reads everything that `settings` name, and compiles it with what the API has set over it.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn load(settings: &Settings, kept: &Kept, sessions: &Sessions) -> Result<Self, String> {
        let mut files = RuleFiles::new();
        read_rules(&mut files, "waf.rules_path", settings.waf.rules_path.as_deref())?;
        for site in &settings.sites {
            if let Some(path) = &site.rules_path {
                read_rules(&mut files, &format!("sites.{}.rules_path", site.label()), Some(path))?;
            }
        }
        let seclang = SecLang::load(settings)?;
        let Compiled { rules, site_rules, sites } =
            compile(settings, &files, &seclang, &kept.rules).map_err(|error| error.to_string())?;
        let exceptions = ExceptionSet::compile(kept.exceptions.clone()).map_err(|error| error.to_string())?;
        let mut certificate = Vec::new();
        let tls = match &settings.tls {
            None => None,
            Some(tls) => {
                // What cannot be read is told by the loading itself.
                certificate = std::fs::read(&tls.cert_path).unwrap_or_default();
                let protocols: Vec<String> =
                    tls.protocols.iter().map(|version| version.as_str().to_owned()).collect();
                let config = tls::load(&tls.cert_path, &tls.key_path, &protocols, sessions);
                Some(config.map_err(|error| error.to_string())?)
            }
        };
        let exceptions = Arc::new(exceptions);
        Ok(Self { files, seclang, rules, site_rules, sites, exceptions, tls, certificate })
    }

    /// The same with what the API has set by now over the rules.
    ///
    /// # Errors
    /// The first rule that is wrong.
    pub fn under(&self, settings: &Settings, overlay: &Overlay) -> Result<Self, CompileError> {
        let Compiled { rules, site_rules, sites } = compile(settings, &self.files, &self.seclang, overlay)?;
        let (tls, certificate) = (self.tls.clone(), self.certificate.clone());
        Ok(Self {
            files: self.files.clone(),
            seclang: self.seclang.clone(),
            rules,
            site_rules,
            sites,
            exceptions: self.exceptions.clone(),
            tls,
            certificate,
        })
    }

    /// The rules of every file.
    pub fn file_rules(&self) -> impl Iterator<Item = &Rule> {
        self.files.values().flatten()
    }
}

/// Why rules or sites are not in force.
#[derive(Debug)]
pub enum CompileError {
    /// A rule, and what file it is from where the call did not bring it.
    Rule(RuleError),
    /// A site.
    Site(String),
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CompileError::Rule(error) => write!(f, "waf.rules_path: {error}"),
            CompileError::Site(message) => f.write_str(message),
        }
    }
}

/// What rules and sites were compiled to.
struct Compiled {
    rules: Arc<RuleSet>,
    site_rules: SiteRules,
    sites: Arc<Sites>,
}

/// Sites that share a file share what it was compiled to.
fn compile(
    settings: &Settings,
    files: &RuleFiles,
    seclang: &SecLang,
    overlay: &Overlay,
) -> Result<Compiled, CompileError> {
    let how = rule_texts::judging(settings);
    let mut sets: HashMap<&Option<PathBuf>, Arc<RuleSet>> = HashMap::new();
    for (path, of_file) in files {
        let set = RuleSet::compile(&overlay.over(of_file), &how).map_err(CompileError::Rule)?;
        let set = match &seclang.program {
            Some(program) => set.with_seclang(program.clone()),
            None => set,
        };
        sets.insert(path, Arc::new(set));
    }
    let rules_of = |path: &Option<PathBuf>| {
        let missing = || CompileError::Site("the rules of a site were not read; please report it".into());
        sets.get(path).cloned().ok_or_else(missing)
    };
    let rules = rules_of(&settings.waf.rules_path)?;
    let site = |site: Option<&secbeat_settings::Site>| {
        let own = site.filter(|site| site.rules_path.is_some());
        let rules = own.map_or_else(|| Ok(rules.clone()), |site| rules_of(&site.rules_path))?;
        let pages = pages(settings, site).map_err(CompileError::Site)?;
        Site::new(settings, site, rules, pages).map_err(CompileError::Site)
    };
    let (mut others, mut site_rules) = (Vec::new(), Vec::new());
    for of_host in &settings.sites {
        others.push((of_host.hosts.clone(), site(Some(of_host))?));
        if of_host.rules_path.is_some() {
            site_rules.push((of_host.label(), rules_of(&of_host.rules_path)?));
        }
    }
    let sites = Arc::new(Sites::new(site(None)?, others));
    Ok(Compiled { rules: rules.clone(), site_rules: Arc::new(site_rules), sites })
}

fn read_rules(files: &mut RuleFiles, key: &str, path: Option<&Path>) -> Result<(), String> {
    let rules = rules::of_file(key, path)?;
    files.insert(path.map(Path::to_owned), rules);
    Ok(())
}

/// The pages of a site, else of all.
fn pages(settings: &Settings, site: Option<&secbeat_settings::Site>) -> Result<Pages, String> {
    let page = |key: &str,
                of_site: Option<&PathBuf>,
                of_all: Option<&PathBuf>,
                format: Format|
     -> Result<_, String> {
        let (key, path) = match (site, of_site, of_all) {
            (Some(site), Some(path), _) => (format!("sites.{}.error_page_{key}", site.label()), path),
            (_, _, Some(path)) => (format!("error_pages.{key}"), path),
            _ => return Ok(None),
        };
        let wrong = |error: String| format!("{key}: {}: {error}", path.display());
        let template = std::fs::read_to_string(path).map_err(|error| {
            wrong(format!(
                "{error}; give a file of UTF-8 text, or leave the key out to use the page built in"
            ))
        })?;
        Pages::check(&template, format).map_err(wrong)?;
        Ok(Some(template))
    };
    let all = &settings.error_pages;
    Ok(Pages {
        html: page("html", site.and_then(|s| s.error_page_html.as_ref()), all.html.as_ref(), Format::Html)?,
        json: page("json", site.and_then(|s| s.error_page_json.as_ref()), all.json.as_ref(), Format::Json)?,
    })
}
