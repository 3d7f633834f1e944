//! The processor time of services in the report of `bench`, wherever they run.

use ordersys_testkit::{Project, busy_blocking, has_engine};
use serde_json::Value;

const LOAD: [&str; 7] = ["bench", "-c", "4", "-d", "1s", "--warmup", "0s"];

fn server(report: &Value) -> &Value {
    &report["cpuMicrosPerRequest"]["server"]
}

#[test]
fn the_processor_time_of_services_is_that_of_their_processes() {
    for runtime in if has_engine() { &["process", "docker"][..] } else { &["process"] } {
        let project = Project::new(runtime);
        project.up(&[]).ok();
        let turn = busy_blocking();
        let report = project.run(&LOAD).data;
        drop(turn);
        assert!(server(&report).as_f64().is_some_and(|micros| micros > 10.0), "{runtime}: {report:#}");
        let status = project.run(&["status"]).data;
        assert!(!status.to_string().contains("localPids"), "for us, not for scripts: {status:#}");
        // The same service by another of its names.
        let url = status["services"][1]["url"].as_str().expect("a URL").replace("127.0.0.1", "localhost");
        let again = project.run(&[&["--product-url", &url], &LOAD[..], &["--no-verify"]].concat()).data;
        assert!(server(&again).as_f64().is_some_and(|micros| micros > 10.0), "{runtime}: {again:#}");
    }
}
