//! The window without a screen: what stands in it, what comes out of it when somebody touches it, and what it looks like.

mod controls;
mod desk;
mod layout;
mod models;
mod pictures;
mod raster;
mod session;
