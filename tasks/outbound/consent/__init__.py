"""What people said to being contacted: recorded, folded, judged as the gate through which all that leaves goes."""
