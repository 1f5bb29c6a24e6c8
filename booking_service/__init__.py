"""The business data behind a booking agent: clients, staff, services, hours, appointments, waitlist, messages."""
