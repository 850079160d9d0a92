"""How a study is run: plan, search with equal budgets, freeze the winners, confirm them on fresh seeds."""
