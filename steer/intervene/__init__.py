"""What an intervention is: ops, where, sites, and the plan that resolves them."""
