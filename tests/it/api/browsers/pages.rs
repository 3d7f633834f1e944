//! Pages in a real browser.

use ordersys_contract::Role;
use ordersys_contract::client::ProductFilter;
use ordersys_contract::order::OrderState;
use ordersys_contract::user::UserStatus;
use ordersys_testkit::browser::chromium::{Rendered, has_chromium, render, render_as};
use ordersys_testkit::browser::site::site;
use ordersys_testkit::order_of;

use super::{FOREIGN, LOCALHOST, OpenStack};

async fn rendered(open: impl FnOnce() -> Rendered + Send + 'static) -> Rendered {
    tokio::task::spawn_blocking(open).await.expect("renders")
}

/// A page that makes these calls without a body in each way that a browser lets it, and says how many it made.
fn attack(urls: &[String]) -> String {
    let urls = serde_json::to_string(urls).expect("writes");
    format!(
        r"<!doctype html><body><script>
        const urls = {urls};
        const calls = urls.flatMap(url => [
            fetch(url, {{ method: 'POST', mode: 'no-cors' }}),
            fetch(url, {{ method: 'POST', mode: 'no-cors', referrerPolicy: 'no-referrer' }}),
            fetch(url, {{ method: 'POST', mode: 'no-cors', body: '{{}}' }}),
            new Promise(sent => {{
                const frame = document.createElement('iframe');
                frame.name = 'f' + url;
                document.body.append(frame);
                const form = document.createElement('form');
                Object.assign(form, {{ method: 'post', action: url, target: frame.name }});
                document.body.append(form);
                frame.onload = sent;
                form.submit();
            }}),
        ]);
        Promise.allSettled(calls).then(all => {{
            document.body.append('made ' + all.filter(one => one.status === 'fulfilled').length + ' calls');
        }});
        </script></body>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_changes_nothing() {
    if !has_chromium() {
        return;
    }
    let stack = OpenStack::start(LOCALHOST, &[]).await;
    let (user, client) = (stack.a_user().await, &stack.client);
    let product = client.products(&ProductFilter::default()).await.expect("lists").items.remove(0);
    let place = async || client.place(&order_of(&user, &[(&product, 1)]), None).await.expect("places");
    let (paid, cancelled) = (place().await, place().await);
    let orders = &stack.endpoints.order;
    let urls = [
        format!("{orders}/orders/{}/pay", paid.order.id),
        format!("{orders}/orders/{}/cancel", cancelled.order.id),
        format!("{}/users/{}/disable", stack.endpoints.user, user.id),
    ];
    let page = site(attack(&urls), None).await;
    // Of another site, and of another port of this one.
    let cross_site = format!("http://{FOREIGN}:{}/", page.port());
    let cross_site = rendered(move || render_as(FOREIGN, &cross_site)).await;
    let same_site = rendered(move || render(&format!("http://{page}/"))).await;
    for seen in [cross_site, same_site] {
        assert!(seen.dom.contains("made 12 calls"), "{} {:?}", seen.dom, seen.console);
    }
    for id in [paid.order.id, cancelled.order.id] {
        assert_eq!(client.order(id).await.expect("reads").status, OrderState::Confirmed);
    }
    assert_eq!(client.user(user.id).await.expect("reads").status, UserStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_made_to_mean_this_machine_reads_nothing() {
    if !has_chromium() {
        return;
    }
    let stack = OpenStack::start(LOCALHOST, &["shop.example"]).await;
    stack.a_user().await;
    let port = stack.address(Role::User).port();
    let foreign = rendered(move || render_as(FOREIGN, &format!("http://{FOREIGN}:{port}/users"))).await;
    assert!(foreign.dom.contains("misdirected-request"), "{}", foreign.dom);
    assert!(!foreign.dom.contains("alice@example.com"), "{}", foreign.dom);
    let named =
        rendered(move || render_as("shop.example", &format!("http://shop.example:{port}/users"))).await;
    assert!(named.dom.contains("alice@example.com"), "{}", named.dom);
}

/// The browser of these tests itself.
#[test]
fn what_scripts_do_and_where_they_fail_is_seen() {
    if !has_chromium() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let page = dir.path().join("page.html");
    let script = "document.body.append('made by ' + 'a script'); missing.call()";
    std::fs::write(&page, format!("<!doctype html><body><script>{script}</script>")).expect("writes");
    let rendered = render(&format!("file://{}", page.display()));
    assert!(rendered.dom.contains("made by a script"), "{}", rendered.dom);
    assert_eq!(rendered.console.len(), 1, "{:?}", rendered.console);
    assert!(rendered.console[0].contains("missing is not defined"), "{:?}", rendered.console);
}
