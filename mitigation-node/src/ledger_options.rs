//! Access log, audit log and recorder as the settings have them.

use secbeat_l7::ledger::Ledgers;
use secbeat_settings::Settings;
use secbeat_telemetry::access::OpenAccess;
use secbeat_telemetry::audit::OpenAudit;
use secbeat_telemetry::{
    AccessFormat, AccessLog, AccessOptions, AuditLog, AuditOptions, Logger, Mask, Recorder, RecorderOptions,
};
use std::io;

/// Starts what requests are written down in.
///
/// # Errors
/// A log cannot be opened, or a thread not be started.
pub fn start(settings: &Settings, workers: usize, log: &Logger) -> Result<Ledgers, String> {
    let access = AccessLog::start(access(settings)).map_err(in_access_log)?;
    let audit = AuditLog::start(audit(settings)).map_err(in_audit_log)?;
    let recorder = Recorder::start(&settings.server.data_dir, recorder(settings), log.clone())
        .map_err(|error| format!("recorder: {error}"))?;
    Ok(Ledgers::new(workers, access, audit, recorder))
}

/// The files of access log and audit log, open.
pub struct OpenLogs {
    access: OpenAccess,
    audit: OpenAudit,
}

/// Opens the files of access log and audit log, anew where they are open.
///
/// # Errors
/// One of them cannot be opened; nothing has changed.
pub fn open(settings: &Settings) -> Result<OpenLogs, String> {
    Ok(OpenLogs {
        access: AccessLog::open(access(settings)).map_err(in_access_log)?,
        audit: AuditLog::open(audit(settings)).map_err(in_audit_log)?,
    })
}

/// Has them follow new settings.
pub fn put_in_force(ledgers: &Ledgers, settings: &Settings, logs: OpenLogs) {
    ledgers.access.move_to(logs.access);
    ledgers.audit.move_to(logs.audit);
    ledgers.recorder.set(recorder(settings));
}

fn in_access_log(error: io::Error) -> String {
    format!("access_log.file: {error}")
}

fn in_audit_log(error: io::Error) -> String {
    format!("audit_log.file: {error}")
}

fn audit(settings: &Settings) -> Option<AuditOptions> {
    let audit = &settings.audit_log;
    audit.enable.then(|| AuditOptions { file: audit.file.clone(), record: recorder(settings) })
}

fn access(settings: &Settings) -> Option<AccessOptions> {
    let access = &settings.access_log;
    access.enable.then(|| AccessOptions {
        format: match access.format {
            secbeat_settings::AccessFormat::Json => AccessFormat::Json,
            secbeat_settings::AccessFormat::Combined => AccessFormat::Combined,
        },
        file: access.file.clone(),
        anonymize: settings.retention.anonymize_addresses,
    })
}

fn recorder(settings: &Settings) -> RecorderOptions {
    let recorder = &settings.recorder;
    RecorderOptions {
        enable: recorder.enable,
        sample_every: recorder.sample_every,
        bytes_max: recorder.bytes_max,
        bodies: recorder.bodies,
        body_bytes_max: recorder.body_bytes_max,
        mask: Mask::new(
            recorder.mask_headers.iter().map(String::as_str),
            recorder.mask_parameters.iter().map(String::as_str),
        ),
        keep: settings.retention.records,
        anonymize: settings.retention.anonymize_addresses,
    }
}
