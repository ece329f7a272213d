//! The log as the settings have it.

use secbeat_settings::{Format, Level, Settings};
use secbeat_telemetry as telemetry;

/// The level of the log.
pub fn level(level: Level) -> telemetry::Level {
    match level {
        Level::Error => telemetry::Level::Error,
        Level::Warn => telemetry::Level::Warn,
        Level::Info => telemetry::Level::Info,
        Level::Debug => telemetry::Level::Debug,
        Level::Trace => telemetry::Level::Trace,
    }
}

/// The format of the log. (`ecs` was refused before.)
pub fn format(format: Format) -> telemetry::Format {
    match format {
        Format::Json | Format::Ecs => telemetry::Format::Json,
        Format::Pretty => telemetry::Format::Pretty,
    }
}

/// Where the log goes.
pub fn target(settings: &Settings) -> telemetry::Target {
    settings.logging.file.clone().map_or(telemetry::Target::Stderr, telemetry::Target::File)
}

/// Has the log follow the settings, but for where it goes.
pub fn put_in_force(log: &telemetry::Logger, settings: &Settings) {
    log.set_level(level(settings.logging.level));
    log.set_format(format(settings.logging.format));
    log.set_lines_per_second(settings.logging.lines_per_second);
}
