//! The bytes are values of a request; the fast way says of them what the plain way says, over rules of many kinds and, where it
//! is installed, over the Core Rule Set of Debian.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secbeat_engine::{Facts, Memory, Program};
use secbeat_seclang::Variable::{self, *};
use secbeat_seclang::{Entry, Phase, Sources, load};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The files of this machine.
struct Disk;

impl Sources for Disk {
    fn read(&self, path: &Path, _: usize) -> std::io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn glob(&self, pattern: &Path) -> std::io::Result<Vec<PathBuf>> {
        let files = std::fs::read_dir(pattern.parent().unwrap_or(Path::new(".")))?;
        let conf = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "conf");
        Ok(files.filter_map(|entry| Some(entry.ok()?.path())).filter(conf).collect())
    }
}

const RULES: &str = r#"
SecAction "id:1,phase:1,pass,nolog,setvar:tx.level=2"
SecRule REQUEST_URI "@beginsWith /a" "id:2,phase:1,pass,t:normalizePath,ctl:ruleRemoveTargetById=20-29;ARGS:b"
SecRule TX:level "@lt 3" "id:3,phase:2,pass,nolog,skipAfter:three"
SecRule ARGS "@rx ." "id:4,phase:2,pass"
SecMarker three
SecRule ARGS|!ARGS:a|REQUEST_COOKIES "@rx (?i)union\s+select" "id:20,phase:2,pass,t:urlDecodeUni,t:replaceComments,t:compressWhitespace,capture,setvar:tx.x=+1"
SecRule ARGS|ARGS_NAMES "@rx ^[a-f0-9]+$" "id:21,phase:2,pass,t:hexDecode,t:lowercase"
SecRule ARGS|REQUEST_HEADERS "@pm select <script /etc/passwd" "id:22,phase:2,pass,t:htmlEntityDecode,t:jsDecode,t:cssDecode,t:lowercase,multiMatch"
SecRule ARGS "@detectSQLi" "id:23,phase:2,pass,t:utf8toUnicode,t:urlDecodeUni,t:removeNulls,multiMatch,capture"
SecRule ARGS|REQUEST_URI "@detectXSS" "id:24,phase:2,pass,t:htmlEntityDecode"
SecRule ARGS "!@rx ^[\w ]*$" "id:25,phase:2,pass,t:removeWhitespace,setvar:'tx.%{MATCHED_VAR_NAME}=%{MATCHED_VAR}'"
SecRule TX:/^ARGS/ "@contains a" "id:26,phase:2,pass,chain"
SecRule MATCHED_VARS "@rx b(?!c)" "t:base64Decode"
SecRule ARGS "@validateByteRange 32-126" "id:27,phase:2,pass,t:escapeSeqDecode"
SecRule ARGS "@validateUtf8Encoding" "id:28,phase:2,pass,t:cmdLine"
SecRule ARGS|XML:/* "@rx /\.\./" "id:29,phase:2,deny,t:base64Decode,t:normalizePathWin"
SecRule RESPONSE_BODY "@rx error" "id:30,phase:4,pass,t:lowercase"
SecRule REQUEST_HEADERS:a "!@streq b" "id:31,phase:3,pass,t:length"
"#;

fn programs() -> &'static [Program] {
    static PROGRAMS: OnceLock<Vec<Program>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let mut all = vec![vec![Entry::Text { name: "rules".into(), text: RULES.into() }]];
        let setup = "/etc/modsecurity/crs/crs-setup.conf";
        if Path::new(setup).exists() {
            let text = "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.paranoia_level=4\"\n\
                        Include /usr/share/modsecurity-crs/rules/*.conf\n";
            all.push(vec![Entry::File(setup.into()), Entry::Text { name: "crs".into(), text: text.into() }]);
        }
        let compile = |entries: &Vec<Entry>| {
            let set = load(&Disk, entries).unwrap_or_else(|errors| panic!("{errors:?}"));
            Program::compile(&set).unwrap_or_else(|errors| panic!("{errors:?}"))
        };
        all.iter().map(compile).collect()
    })
}

const VARIABLES: [Variable; 12] = [
    ArgsGet,
    ArgsPost,
    RequestCookies,
    RequestHeaders,
    RequestUri,
    RequestLine,
    RequestFilename,
    RequestBody,
    Files,
    Xml,
    ResponseBody,
    ResponseHeaders,
];

/// What rules say of values: each a byte for the variable and the phase, a name up to a `=`, and bytes up to a 0xfe.
fn said(
    program: &Program,
    memory: &mut Memory,
    data: &[u8],
    plain: bool,
) -> impl PartialEq + std::fmt::Debug + use<> {
    let facts = Facts { plain, budget: u64::MAX, ..Facts::default() };
    let mut transaction = program.transaction(std::mem::take(memory), facts);
    let phases = [
        Phase::RequestHeaders,
        Phase::RequestBody,
        Phase::ResponseHeaders,
        Phase::ResponseBody,
        Phase::Logging,
    ];
    let mut stopped = Vec::new();
    for (at, phase) in phases.into_iter().enumerate() {
        for field in data.split(|byte| *byte == 0xfe) {
            let Some((kind, rest)) = field.split_first() else { continue };
            if usize::from(kind / 12) % 4 != at {
                continue;
            }
            let split = rest.iter().position(|byte| *byte == b'=').unwrap_or(rest.len());
            let (name, value) = (&rest[..split], rest.get(split + 1..).unwrap_or_default());
            match VARIABLES[usize::from(kind % 12)] {
                Xml => transaction.add(Xml, b"/*", value),
                variable if variable.is_collection() => transaction.add(variable, name, value),
                variable => transaction.set(variable, value),
            }
        }
        stopped.push(transaction.run(phase));
    }
    let mut variables: Vec<_> =
        transaction.tx_all().map(|(name, value)| (name.to_vec(), value.into_owned())).collect();
    variables.sort();
    let said = (transaction.trail().to_vec(), transaction.matches().to_vec(), variables, stopped);
    *memory = transaction.finish();
    said
}

fuzz_target!(|data: &[u8]| {
    let Some((first, data)) = data.split_first() else { return };
    let programs = programs();
    let program = &programs[usize::from(*first) % programs.len()];
    let (mut plain, mut fast) = (Memory::default(), Memory::default());
    let expected = said(program, &mut plain, data, true);
    // The second time, what was met the first time is remembered.
    for _ in 0..2 {
        assert_eq!(expected, said(program, &mut fast, data, false));
    }
});
