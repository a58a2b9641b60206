"""What an instructor runs: build the notebooks, grade a class, measure the tests."""
