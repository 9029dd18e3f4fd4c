//! What it says about sound.
