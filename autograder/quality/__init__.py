"""`autograder quality`: are an assignment's tests fair and strict? Measured through the grading engine."""
