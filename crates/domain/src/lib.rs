//! Rules without I/O: money, attribution, settlement, ledger
