//! A container that is made again may get another address. Those who know it by name reach it at once.

use std::net::TcpListener;

use ordersys_testkit::command::engine::docker;
use ordersys_testkit::{Project, has_engine};

fn address(project: &Project, service: &str) -> String {
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    docker(&["inspect", "--format", format, &format!("{}-{service}-1", project.name)])
}

/// Leaves the address of a service to a foreign container, so that it gets another.
fn move_on(project: &Project, service: &str) {
    let image = docker(&["inspect", "--format", "{{.Config.Image}}", &format!("{}-user-1", project.name)]);
    let network = format!("{}_backend", project.name);
    let before = address(project, service);
    project.run(&["chaos", "cut", service]).ok();
    let run = ["run", "-d", "--tmpfs", "/tmp", "--network", &network, &image];
    let holder = docker(&[&run[..], &["serve", "user", "--data-dir", "/tmp/data"]].concat());
    let healed = project.run(&["chaos", "heal", service, "--wait"]);
    docker(&["rm", "-f", &holder]);
    healed.ok();
    assert_ne!(address(project, service), before);
}

#[test]
fn a_service_with_another_address_is_reached_at_once() {
    if !has_engine() {
        return;
    }
    let project = Project::new("docker");
    project.up(&[]).ok();
    let user = project.run(&["user", "create", "--name", "Ann", "--email", "ann@example.com"]).ok().data;
    let user = user["id"].as_str().expect("an id");
    project.run(&["product", "create", "--name", "Thing", "--price", "1.00", "--stock", "9"]).ok();
    let order = ["order", "place", "--user", user, "--item", "Thing=1"];
    for service in ["user", "product"] {
        project.run(&order).ok();
        move_on(&project, service);
        project.run(&order).ok();
        // Made again it gets the lowest free address: its first.
        let before = address(&project, service);
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
        project.up(&["--port", &format!("{service}={port}")]).ok();
        assert_ne!(address(&project, service), before);
        let placed = project.run(&order).ok();
        assert_eq!(placed.data["status"], "confirmed", "{service}: {}", placed.data);
    }
}
