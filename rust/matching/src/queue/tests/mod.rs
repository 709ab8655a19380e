//! Estimates in integers beside the formulas of the literature in floats.

mod fixed_log;
mod model;
mod place;
