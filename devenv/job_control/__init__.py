"""What the laptop needs besides `operations` to run the jobs: no cluster there keeps them for it."""
