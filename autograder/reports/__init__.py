"""Pages for instructors: a week of the class, and one learner over the weeks."""
