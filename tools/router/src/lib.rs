//! Training and evaluation of the learned router: programs of ours, so that every coefficient that is
//! shipped can be made again from the data it was made from, to the byte.

pub mod built_in;
pub mod built_in_report;
pub mod data;
pub mod fit;
pub mod metrics;
pub mod predict;
pub mod quantise;
pub mod replay;
pub mod report;
pub mod topics;
pub mod train;
