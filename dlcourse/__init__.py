"""What a learner's notebook imports: `dlcourse.data` for datasets, `dlcourse.check` for checking an answer."""
