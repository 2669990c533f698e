//! System variables whose change changes what is logged. Owns: the list of docs/specs/events.md.

use event::{Activity, action};

/// Variables that switch a log on and off.
const SWITCHES: &[&str] = &[
    "tidb_audit_enabled",
    "tidb_enable_collect_execution_info",
    "tidb_enable_connection_event_log",
    "tidb_enable_slow_log",
    "tidb_enable_stmt_summary",
    "tidb_enable_top_sql",
    "tidb_general_log",
    "tidb_record_plan_in_slow_log",
    "tidb_stmt_summary_enable_persistent",
];

/// Variables that shape a log.
const SETTINGS: &[&str] = &[
    "tidb_expensive_query_time_threshold",
    "tidb_expensive_txn_time_threshold",
    "tidb_log_file_max_days",
    "tidb_query_log_max_len",
    "tidb_redact_log",
    "tidb_session_alias",
    "tidb_slow_log_max_per_sec",
    "tidb_slow_log_rules",
    "tidb_slow_log_threshold",
];

/// Families of such variables.
const SETTING_FAMILIES: &[&str] = &["tidb_stmt_summary_", "tidb_audit_log"];

/// Whether a change of the variable changes what is logged.
pub fn is_of_log(name: &str) -> bool {
    let holds = |list: &[&str]| list.iter().any(|v| v.eq_ignore_ascii_case(name));
    holds(SWITCHES) || holds(SETTINGS) || SETTING_FAMILIES.iter().any(|f| name.get(..f.len()).is_some_and(|n| n.eq_ignore_ascii_case(f)))
}

/// What setting a variable to a value is.
pub fn change(name: &str, value: &str) -> &'static Activity {
    if SWITCHES.iter().any(|v| v.eq_ignore_ascii_case(name)) {
        return match value {
            "1" => &action::LOG_ENABLE,
            "0" => &action::LOG_DISABLE,
            v if v.eq_ignore_ascii_case("on") || v.eq_ignore_ascii_case("true") => &action::LOG_ENABLE,
            v if v.eq_ignore_ascii_case("off") || v.eq_ignore_ascii_case("false") => &action::LOG_DISABLE,
            _ => &action::LOG_UPDATE,
        };
    }
    if is_of_log(name) { &action::LOG_UPDATE } else { &action::CONFIG_UPDATE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_variables_are_changes_of_the_log() {
        for (name, value, want) in [
            ("tidb_general_log", "ON", "event_log_activity.enable"),
            ("TIDB_GENERAL_LOG", "0", "event_log_activity.disable"),
            ("tidb_enable_slow_log", "default", "event_log_activity.update"),
            ("tidb_stmt_summary_enable_persistent", "0", "event_log_activity.disable"),
            ("tidb_stmt_summary_max_stmt_count", "1", "event_log_activity.update"),
            ("tidb_audit_log_redacted", "OFF", "event_log_activity.update"),
            ("tidb_redact_log", "OFF", "event_log_activity.update"),
            ("require_secure_transport", "OFF", "device_config_state_change.update"),
            ("", "", "device_config_state_change.update"),
        ] {
            assert_eq!(change(name, value).action, want, "{name}={value}");
        }
    }
}
