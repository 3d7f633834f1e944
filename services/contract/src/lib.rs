//! What goes over the wire between the services and their clients
