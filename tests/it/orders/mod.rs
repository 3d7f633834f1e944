//! Orders: placed, rejected, kept, checked, and every state that their protocol can reach.

mod check;
mod clock;
mod model;
mod names;
mod placing;
mod refusals;
mod refused;
mod sabotage;
mod test_data;
