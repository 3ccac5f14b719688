"""What the contract suite is made of: recordings, the matcher, the replay, and the processes to replay to."""
