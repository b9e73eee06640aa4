"""Everything that moves money: orders, what gateways tell, what goes back, who may learn."""
