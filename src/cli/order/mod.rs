//! `ordersys order`: place orders and follow them.

use ordersys_contract::client::OrderFilter;
use ordersys_contract::order::{CANCEL, DELIVER, Order, OrderState, PAY, SHIP};
use ordersys_contract::{ClientError, Code, OrderId};

use crate::cli::caller::Caller;
use crate::cli::listing::{MAX_ITEMS, Part, read, whole};
use crate::cli::{Globals, block_on, client_failure, user};
use crate::render::Printer;
use ordersys_command::{Failure, Outcome};
use ordersys_stack::model::project::Project;

mod place;
mod show;
mod which;

use place::PlaceArgs;
use show::{Names, details, history, restock, table};
use which::OrderName;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys order place --user alice@example.com --item \"USB-C Hub=2\"
  ordersys order place --user alice@example.com --item '27\" Monitor' --item \"Mechanical Keyboard\"
  ordersys order list --user alice@example.com --status confirmed -o json
  ordersys order get last
  ordersys order get ID
  ordersys order cancel ID
  ordersys user login bob@example.com && ordersys order place --item \"USB-C Hub\"")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Place an order
    #[command(after_help = "Examples:
  ordersys order place --user alice@example.com --item \"USB-C Hub\"
  ordersys order place --user alice@example.com --item \"USB-C Hub=1\" --key once-1")]
    Place(PlaceArgs),
    /// Show one order, and why it was refused if it was
    #[command(after_help = "Examples:
  ordersys order get ID
  ordersys order get last -o json")]
    Get(OrderArg),
    /// List orders, newest first
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  ordersys order list
  ordersys order list --status confirmed --limit 5 --page 2
  ordersys order list --all -o json | jq -r '.orders[].id'"
    )]
    List(ListArgs),
    /// Cancel an order and give its stock back
    #[command(after_help = "Examples:
  ordersys order cancel ID")]
    Cancel(OrderArg),
    /// Mark an order as paid
    #[command(after_help = "Examples:
  ordersys order pay ID")]
    Pay(OrderArg),
    /// Mark an order as shipped
    #[command(after_help = "Examples:
  ordersys order pay ID
  ordersys order ship ID")]
    Ship(OrderArg),
    /// Mark an order as delivered
    #[command(after_help = "Examples:
  ordersys order pay ID
  ordersys order ship ID
  ordersys order deliver ID")]
    Deliver(OrderArg),
    /// Show the history of an order
    #[command(after_help = "Examples:
  ordersys order events ID")]
    Events(OrderArg),
}

#[derive(Debug, clap::Args)]
struct OrderArg {
    /// The order: its id, 4 or more characters that it begins or ends with, or `last` for your newest
    order: OrderName,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only this user's: an id or an e-mail address [default: who is logged in, else all users']
    #[arg(long, value_name = "ID|EMAIL")]
    user: Option<String>,
    /// Only orders in this state, e.g. confirmed
    #[arg(long, value_parser = parse_state, value_name = "STATE")]
    status: Option<OrderState>,
    /// At most so many on a page
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = whole::<1, MAX_ITEMS>)]
    limit: u64,
    /// Which page
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<1, MAX_ITEMS>)]
    page: u64,
    /// All orders on one page
    #[arg(long, conflicts_with_all = ["limit", "page"])]
    all: bool,
}

fn parse_state(text: &str) -> Result<OrderState, String> {
    let known = || OrderState::ALL.map(OrderState::as_str).join(", ");
    OrderState::parse(text).ok_or_else(|| format!("the states are {}", known()))
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let caller = match &args.command {
        Command::Pay(_) | Command::Ship(_) | Command::Deliver(_) => globals.admin()?,
        Command::Place(_) | Command::Get(_) | Command::List(_) | Command::Cancel(_) | Command::Events(_) => {
            globals.caller()?
        }
    };
    let desk = Desk { caller: &caller, project: &globals.project()?, printer: &globals.printer() };
    block_on(desk.carry_out(args.command)).map_err(|failure| caller.explain(failure))
}

/// Who gives a command, for which project, and where its answer goes.
struct Desk<'a> {
    caller: &'a Caller,
    project: &'a Project,
    printer: &'a Printer,
}

impl Desk<'_> {
    async fn carry_out(&self, command: Command) -> Outcome {
        let client = &self.caller.client;
        match command {
            Command::Place(args) => place::place(self.caller, self.project, self.printer, args).await,
            Command::List(args) => self.list(&args).await,
            Command::Events(OrderArg { order }) => self.events(&order).await,
            Command::Get(OrderArg { order }) => {
                let id = order.id(self.caller, self.project).await?;
                self.show(client.order(id).await.map_err(|error| self.failed(error, id))?).await;
                Ok(())
            }
            Command::Cancel(OrderArg { order }) => self.step(&order, CANCEL).await,
            Command::Pay(OrderArg { order }) => self.step(&order, PAY).await,
            Command::Ship(OrderArg { order }) => self.step(&order, SHIP).await,
            Command::Deliver(OrderArg { order }) => self.step(&order, DELIVER).await,
        }
    }

    async fn step(&self, order: &OrderName, path: &str) -> Outcome {
        let id = order.id(self.caller, self.project).await?;
        let order = self.caller.client.step(id, path).await.map_err(|error| self.failed(error, id))?;
        self.show(order).await;
        Ok(())
    }

    async fn show(&self, mut order: Order) {
        let names = Names::of(&self.caller.client, std::slice::from_ref(&order), &[]).await;
        names.fill(order.rejection.as_mut());
        self.printer.data(&order, || details(&order, &names));
        let short = order.rejection.iter().flat_map(|rejection| &rejection.shortages).cloned();
        if let Some(add) = restock(self.project, &short.collect::<Vec<_>>()) {
            self.printer.say(format!("hint: order less, or add some: `{add}`"));
        }
    }

    async fn events(&self, order: &OrderName) -> Outcome {
        let id = order.id(self.caller, self.project).await?;
        let client = &self.caller.client;
        let mut events = client.events(id).await.map_err(|error| self.failed(error, id))?;
        let names = Names::of(client, &[], &events).await;
        for event in &mut events {
            names.fill(event.rejection.as_mut());
        }
        self.printer.data(&events, || history(&events));
        Ok(())
    }

    async fn list(&self, args: &ListArgs) -> Outcome {
        let client = &self.caller.client;
        let user = match &args.user {
            Some(user) => Some(user::find(self.caller, self.project, Some(user)).await?),
            None => self.caller.own_id(None),
        };
        let part = if args.all { Part::ALL } else { Part::page(args.page, Some(args.limit)) };
        let filter = OrderFilter { user, status: args.status, limit: part.call_limit() };
        let first = client.orders(&filter).await;
        let mut listed =
            read("orders", part, first, async |next: &str| client.more_orders(next).await).await?;
        let refused: Vec<_> =
            listed.items.iter().filter(|order| order.rejection.is_some()).cloned().collect();
        let names = Names::of(client, &refused, &[]).await;
        for order in &mut listed.items {
            names.fill(order.rejection.as_mut());
        }
        listed.print(self.printer, table, &self.again(args));
        Ok(())
    }

    /// The command that lists the same anew, but for the page.
    fn again(&self, args: &ListArgs) -> String {
        let user = args.user.as_deref().map(|user| format!(" --user {}", crate::cli::meant::quoted(user)));
        let status = args.status.map(|status| format!(" --status {}", status.as_str()));
        let words = [user, status, Some(format!(" --limit {}", args.limit))].into_iter().flatten();
        self.project.command(&format!("order list{}", words.collect::<String>()))
    }

    /// Why nothing came of a command for one order, with where to look.
    fn failed(&self, error: ClientError, order: OrderId) -> Failure {
        let (list, events) = ("order list".to_owned(), format!("order events {order}"));
        let hint = match error.problem().map(|problem| problem.code) {
            Some(Code::NotFound) => {
                let list = self.project.command(&list);
                Some(format!("no order that you may read has the id {order}: `{list}`"))
            }
            Some(Code::IllegalTransition) => {
                Some(format!("what became of it: `{}`", self.project.command(&events)))
            }
            _ => None,
        };
        let failure = client_failure(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}
