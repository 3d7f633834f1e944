//! Requests exactly as written, whose answers are compared with the OpenAPI documents.

use ordersys_contract::Role;
use reqwest::Method;

use crate::stack::openapi;
use crate::{Answer, LIMIT, Stack};

const JSON: (&str, &str) = ("content-type", "application/json");

impl Stack {
    /// A request without a credential.
    pub async fn send(&self, role: Role, method: &str, path: &str, body: Option<&str>) -> Answer {
        self.send_with(role, method, path, &[JSON], body.map(str::to_owned)).await
    }

    /// A request with the admin's credential.
    pub async fn send_as_admin(&self, role: Role, method: &str, path: &str, body: Option<&str>) -> Answer {
        let bearer = self.admin_bearer();
        let headers = [JSON, ("authorization", bearer.as_str())];
        self.send_with(role, method, path, &headers, body.map(str::to_owned)).await
    }

    /// A call between services; `timeout` is how long the caller says that it waits, in milliseconds.
    pub async fn send_as_service(&self, role: Role, path: &str, body: &str, timeout: Option<&str>) -> Answer {
        let bearer = self.service_bearer();
        let mut headers = vec![JSON, ("authorization", bearer.as_str())];
        headers.extend(timeout.map(|timeout| ("x-timeout-ms", timeout)));
        self.send_with(role, "POST", path, &headers, Some(body.to_owned())).await
    }

    /// A request with these headers: method and path, header by header, body.
    pub async fn send_with(
        &self,
        role: Role,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let verb = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(verb, format!("{}{path}", self.url(role))).timeout(LIMIT);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = Answer::of(request.send().await.expect("answers")).await;
        openapi::check(role, self.url(role), method, path, &answer).await;
        answer
    }

    /// The header that shows the services' credential.
    pub fn service_bearer(&self) -> String {
        format!("Bearer {}", self.service.expose())
    }

    /// The header that shows the admin's credential.
    pub fn admin_bearer(&self) -> String {
        format!("Bearer {}", self.admin.expose())
    }
}
