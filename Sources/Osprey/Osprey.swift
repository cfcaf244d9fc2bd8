// Osprey
