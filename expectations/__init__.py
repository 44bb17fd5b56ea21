"""What a gate asks: contract -> suite -> plan -> verdict. Great Expectations is imported only where its code runs."""
