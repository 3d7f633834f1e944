//! What a load run sends, when, and what its clients saw of it: the plan of the requests, the load model, and the
//! evidence that a verification needs. Pure: no IO, no clock of its own, the same seed plans the same run.

pub mod amount;
pub mod endpoint;
pub mod evidence;
pub mod model;
pub mod parse;
pub mod plan;
