//! What the `type` of a problem leads to: pages that say what its code means.

use axum::response::Response;
use ordersys_contract::Code;

use super::StaticText;
use crate::Rejection;
use crate::http::quoted;

const FRAME: &str = include_str!("../../../assets/problems.html");

/// The page of all codes.
pub(crate) fn all_problems() -> Response {
    page("Problems", "", Code::ALL)
}

/// The page of the code that is called so.
pub(crate) fn one_problem(name: &str) -> Result<Response, Rejection> {
    let found = Code::ALL.iter().find(|code| code.as_str() == name);
    let unknown = || {
        let what = format!("there is no problem with the code {}: /problems lists all", quoted(name));
        Rejection::new(Code::NotFound, what)
    };
    let code = found.ok_or_else(unknown)?;
    Ok(page(code.title(), "<a href=\"/problems\">All problems</a>, ", &[*code]))
}

fn page(title: &str, links: &str, codes: &[Code]) -> Response {
    let row = |code: &Code| {
        let (name, status, title, meaning) =
            (code.as_str(), code.status().as_u16(), code.title(), code.meaning().replace('`', ""));
        format!(
            "<tr><td><a href=\"/problems/{name}\"><code>{name}</code></a></td><td>{status}</td>\
             <td>{title}</td><td>{meaning}</td></tr>\n"
        )
    };
    let rows: String = codes.iter().map(row).collect();
    let body = FRAME.replace("{title}", title).replace("{links}", links).replace("{rows}", &rows);
    StaticText::page(&body, "").respond()
}
