//! ordersys
