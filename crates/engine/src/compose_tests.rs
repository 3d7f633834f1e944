//! Holds `compose/compose.yaml` to how containers are made here: probes, limits, and what is closed.

use crate::container::body::tests::made;

const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../compose/compose.yaml"));

/// The lines of the file's paragraphs that hold this one.
fn paragraphs(line: &str) -> Vec<Vec<&'static str>> {
    let paragraphs = FILE.split("\n\n").map(|text| text.lines().map(str::trim).collect::<Vec<_>>());
    paragraphs.filter(|lines| lines.contains(&line)).collect()
}

fn seconds(nanos: Option<i64>) -> String {
    format!("{}s", nanos.unwrap_or(0) / 1_000_000_000)
}

#[test]
fn services_are_asked_as_up_has_them_asked() {
    let health = made(None).healthcheck.expect("a health check");
    let asked = paragraphs("healthcheck:");
    assert_eq!(asked.len(), 3, "each service is asked");
    for lines in asked {
        let wanted = [
            format!("interval: {}", seconds(health.interval)),
            format!("timeout: {}", seconds(health.timeout)),
            format!("retries: {}", health.retries.expect("retries")),
            "<<: *hardening".to_owned(),
        ];
        for line in wanted {
            assert!(lines.contains(&line.as_str()), "`{line}` is not in the compose file: {lines:?}");
        }
    }
}

#[test]
fn services_are_hardened_as_up_hardens_them() {
    let lines = &paragraphs("x-hardening: &hardening")[0];
    let body = made(None);
    let host = body.host_config.expect("a host configuration");
    let tmpfs = host.tmpfs.expect("a tmpfs");
    let log = host.log_config.and_then(|log| log.config).expect("log options");
    let wanted = [
        format!("init: {}", host.init.expect("init")),
        format!("read_only: {}", host.readonly_rootfs.expect("read-only")),
        format!("- /tmp:{}", tmpfs["/tmp"]),
        format!("- {}", host.cap_drop.expect("capabilities")[0]),
        format!("- {}", host.security_opt.expect("options")[0]),
        format!("pids_limit: {}", host.pids_limit.expect("a limit")),
        format!("mem_limit: {}g", host.memory.expect("a limit") >> 30),
        format!("restart: {}", host.restart_policy.and_then(|policy| policy.name).expect("a policy")),
        format!("stop_grace_period: {}s", body.stop_timeout.expect("a grace")),
        format!("max-size: {}", log["max-size"]),
        format!("max-file: \"{}\"", log["max-file"]),
        "- backend".to_owned(),
    ];
    for line in wanted {
        assert!(lines.contains(&line.as_str()), "`{line}` is not in the compose file: {lines:?}");
    }
}
