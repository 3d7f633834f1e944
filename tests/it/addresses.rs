//! A container that is made again may get another address. Those who know it by name reach it at once.

use std::net::{Ipv4Addr, TcpListener};

use crate::command::{Project, has_engine};
use crate::engine::docker;

const SERVICES: [&str; 3] = ["user", "product", "order"];

fn address(project: &Project, service: &str) -> Ipv4Addr {
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let container = format!("{}-{service}-1", project.name);
    docker(&["inspect", "--format", format, &container]).parse().expect("an address")
}

/// Leaves the lowest address of the network free: the engine gives it to who starts next. For that its
/// owner moves on while a container of somebody else holds it.
fn free_the_lowest_address(project: &Project) {
    let lowest = SERVICES.into_iter().min_by_key(|service| address(project, service)).expect("three");
    let image = docker(&["inspect", "--format", "{{.Config.Image}}", &format!("{}-user-1", project.name)]);
    let network = format!("{}_backend", project.name);
    project.run(&["chaos", "cut", lowest]).ok();
    let serve = ["serve", "user", "--data-dir", "/tmp/data"];
    let holder =
        docker(&[&["run", "-d", "--tmpfs", "/tmp", "--network", &network, &image], &serve[..]].concat());
    project.run(&["chaos", "heal", lowest, "--wait"]).ok();
    docker(&["rm", "-f", &holder]);
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
    free_the_lowest_address(&project);
    project.run(&order).ok();

    let before = address(&project, "product");
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    project.up(&["--port", &format!("product={port}")]).ok();
    assert_ne!(address(&project, "product"), before);
    let placed = project.run(&order).ok();
    assert_eq!(placed.data["status"], "confirmed", "{}", placed.data);
}
